//! An embedded broker that can be killed and started again.

use millstream_broker::net::{EmbeddedBroker, serve_in_thread};
use millstream_broker::{Broker, BrokerOptions};
use millstream_client::{ClientOptions, Kafka};
use tokio::net::TcpSocket;

pub struct Cluster {
    pub broker: Broker,
    server: Option<EmbeddedBroker>,
    port: u16,
    /// Bound and not listening, it keeps the port from everybody else while the broker is dead.
    _port_holder: Option<TcpSocket>,
}

impl Cluster {
    pub fn start(nodes: usize) -> Self {
        Self::with(BrokerOptions { nodes, ..BrokerOptions::default() })
    }

    pub fn with(options: BrokerOptions) -> Self {
        let holder = (options.nodes == 1).then(|| {
            let holder = TcpSocket::new_v4().unwrap();
            holder.set_reuseaddr(true).unwrap();
            holder.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            holder
        });
        let port = holder.as_ref().map_or(0, |holder| holder.local_addr().unwrap().port());
        let broker = Broker::new(options).unwrap();
        let server = serve_in_thread(broker.clone(), "127.0.0.1", port).unwrap();
        Self { broker, server: Some(server), port, _port_holder: holder }
    }

    /// Closes every socket. The log stays.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Listens again on the same port, which only a cluster of one node keeps.
    pub fn restart(&mut self) {
        assert_ne!(self.port, 0, "a cluster of several nodes cannot be restarted");
        self.server = Some(serve_in_thread(self.broker.clone(), "127.0.0.1", self.port).unwrap());
    }

    pub fn options(&self) -> ClientOptions {
        ClientOptions::new(&self.broker.bootstrap())
    }

    pub async fn connect(&self) -> Kafka {
        Kafka::connect(self.options()).await.unwrap()
    }
}
