// SPDX-License-Identifier: GPL-2.0-only
// A Rust service that leaks: generic code, a Box and a Vec.
use std::io::{Read, Write};

mod store {
    pub struct Keeper<T> {
        kept: Vec<*mut T>,
    }

    impl<T> Keeper<T> {
        pub fn new() -> Self {
            Keeper { kept: Vec::with_capacity(1000) }
        }

        #[inline(never)]
        pub fn remember(&mut self, value: T) {
            self.kept.push(Box::into_raw(Box::new(value)));
        }
    }
}

// What std::hint::black_box does, which Debian 12's compiler lacks.
fn opaque<T>(value: &T) {
    unsafe { std::ptr::read_volatile(&value) };
}

fn line() {
    let mut byte = [0u8; 1];
    let mut input = std::io::stdin().lock();
    while input.read(&mut byte).unwrap_or(0) == 1 && byte[0] != b'\n' {}
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).unwrap();
    out.write_all(b"\n").unwrap();
    out.flush().unwrap();
}

#[inline(never)]
fn serve(keeper: &mut store::Keeper<[u64; 125]>) {
    for i in 0..500u64 {
        keeper.remember([i; 125]);
        let text = format!("request {}", i);
        opaque(&text);
    }
}

fn main() {
    let mut keeper = store::Keeper::new();
    say("{\"state\": \"ready\"}");
    line();
    serve(&mut keeper);
    opaque(&keeper);
    say("{\"truth\": [{\"chain\": \"remember;rust_leak::serve;rust_leak::main\", \"bytes\": 500000, \"objects\": 500}]}");
    line();
}
