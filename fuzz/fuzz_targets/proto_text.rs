#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| millstream_fuzz::targets::proto_text::run(data));
