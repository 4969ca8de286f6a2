//! TLS for `https` URLs: rustls with graviola, which needs no C compiler but an AES, AVX2, BMI1 and ADX unit on x86-64
//! (NEON with AES on ARM); elsewhere the feature `tls-ring` takes ring.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::{Error, Result};
use crate::options::TlsOptions;

/// The client's side of TLS by these files.
pub(crate) fn client_config(options: &TlsOptions) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    match &options.ca {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            for certificate in certificates("ssl.ca.location", path)? {
                roots.add(certificate).map_err(|e| bad("ssl.ca.location", path, e))?;
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(provider()?)
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::Config { option: "ssl".into(), why: e.to_string() })?
        .with_root_certificates(roots);
    let config = match (&options.certificate, &options.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(chain), Some(key)) => {
            let chain = certificates("ssl.certificate.location", chain)?;
            let private = PrivateKeyDer::from_pem_file(key).map_err(|e| bad("ssl.key.location", key, e))?;
            builder.with_client_auth_cert(chain, private).map_err(|e| bad("ssl.key.location", key, e))?
        }
        _ => {
            let why = "a client certificate needs both ssl.certificate.location and ssl.key.location".into();
            return Err(Error::Config { option: "ssl.certificate.location".into(), why });
        }
    };
    Ok(Arc::new(config))
}

fn certificates(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(path).map_err(|e| bad(option, path, e))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|e| bad(option, path, e))?;
    if found.is_empty() {
        return Err(bad(option, path, "it holds no certificate"));
    }
    Ok(found)
}

fn bad(option: &str, path: &Path, why: impl std::fmt::Display) -> Error {
    Error::Config { option: option.to_owned(), why: format!("{}: {why}", path.display()) }
}

#[cfg(feature = "tls-ring")]
fn provider() -> Result<Arc<CryptoProvider>> {
    Ok(Arc::new(ring_provider::crypto::ring::default_provider()))
}

#[cfg(not(feature = "tls-ring"))]
fn provider() -> Result<Arc<CryptoProvider>> {
    if !cpu_is_known() {
        let why =
            "this CPU lacks what TLS without C needs (AES, AVX2, BMI1, ADX); build with the feature tls-ring";
        return Err(Error::Config { option: "schema.registry.url".into(), why: why.into() });
    }
    Ok(Arc::new(rustls_graviola::default_provider()))
}

/// graviola panics on CPUs that it was not made for.
#[cfg(all(not(feature = "tls-ring"), target_arch = "x86_64"))]
fn cpu_is_known() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("aes")
        && has!("pclmulqdq")
        && has!("avx2")
        && has!("bmi1")
        && has!("bmi2")
        && has!("adx")
        && has!("ssse3")
}

#[cfg(all(not(feature = "tls-ring"), target_arch = "aarch64"))]
fn cpu_is_known() -> bool {
    use std::arch::is_aarch64_feature_detected as has;
    has!("neon") && has!("aes") && has!("sha2") && has!("pmull")
}

#[cfg(all(not(feature = "tls-ring"), not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn cpu_is_known() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::server::WebPkiClientVerifier;

    use super::*;
    use crate::{Registry, RegistryOptions};

    fn file(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/testdata").join(name)
    }

    /// A registry without subjects that speaks only to clients whose certificate our test authority signed.
    async fn server() -> String {
        let mut roots = RootCertStore::empty();
        certificates("ca", &file("ca.pem")).unwrap().into_iter().for_each(|c| roots.add(c).unwrap());
        let provider = provider().unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                certificates("server", &file("server.pem")).unwrap(),
                PrivateKeyDer::from_pem_file(file("server.key")).unwrap(),
            )
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 4096];
                if stream.read(&mut request).await.unwrap_or(0) > 0 {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]").await;
                }
            }
        });
        url
    }

    async fn ask(url: &str, tls: TlsOptions) -> Result<Vec<String>> {
        let mut options = RegistryOptions::new(url).unwrap();
        options.tls = tls;
        options.deadline = std::time::Duration::from_secs(20);
        Registry::new(options).unwrap().subjects().await
    }

    #[tokio::test]
    async fn both_sides_show_their_certificates() {
        let url = server().await;
        let ca = Some(file("ca.pem"));
        let mutual = TlsOptions {
            ca: ca.clone(),
            certificate: Some(file("client.pem")),
            key: Some(file("client.key")),
        };
        assert_eq!(ask(&url, mutual).await.unwrap(), Vec::<String>::new());
        let (nobody, stranger) = (TlsOptions { ca, ..Default::default() }, TlsOptions::default());
        // Told by an alert, or only by a connection that ends, whichever comes first.
        let mut options = RegistryOptions::new(&url).unwrap();
        (options.tls, options.deadline) = (nobody, std::time::Duration::from_millis(500));
        let refused = Registry::new(options).unwrap().subjects().await.unwrap_err();
        assert!(matches!(refused, Error::Unusable { .. } | Error::Unavailable { .. }), "{refused}");
        let error = ask(&url, stranger).await.unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("TLS") && text.contains("UnknownIssuer"), "{text}");
        assert!(text.contains("ssl.ca.location") && text.contains(&url), "{text}");
    }

    #[tokio::test]
    async fn a_port_with_tls_spoken_to_without_it_is_told() {
        let url = server().await.replace("https://", "http://");
        let error = ask(&url, TlsOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }), "{error}");
        assert!(error.to_string().contains(&url) && error.to_string().contains("write https://"), "{error}");
    }

    #[tokio::test]
    async fn a_port_without_tls_spoken_to_with_it_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        let error = ask(&url, TlsOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }), "{error}");
        assert!(error.to_string().contains(&url) && error.to_string().contains("write http://"), "{error}");
    }
}
