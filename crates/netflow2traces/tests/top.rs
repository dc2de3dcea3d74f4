//! `top` where nobody watches: as text.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

use common::{Collector, assert_fails, netflow2traces, run, stderr, stdout};

#[test]
fn it_prints_what_a_collector_does() {
    let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0", "--prometheus-port", "0"]);
    let mut collector = Collector::spawn(command.stdout(Stdio::null()));
    let address = collector.metrics_address();
    collector.receive(2);
    let once = run(&["top", "--once", &address]);
    assert!(once.status.success(), "{}", stderr(&once));
    let lines: Vec<_> = stdout(&once).lines().collect();
    assert_eq!(lines[0], format!("netflow2traces {} at http://{address}/metrics", env!("CARGO_PKG_VERSION")));
    assert!(lines[1].starts_with("received   ") && lines[1].ends_with(" from 1 exporters; gaps 0"), "{}", lines[1]);
    assert!(lines[2].starts_with("delivered  ") && lines[3] == "dropped    nothing", "{}", stdout(&once));
    assert!(lines[4].starts_with("exporter ") && lines[5].starts_with("127.0.0.1 "), "{}", stdout(&once));
    let cells: Vec<_> = lines[5].split_whitespace().collect();
    assert_eq!((cells[1], cells[4]), ("5", "60"), "version and flows: {cells:?}");

    // Again and again, until nobody reads.
    let mut top = netflow2traces(&["top", &address]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(top.stdout.take().unwrap()).lines().map(Result::unwrap);
    for _ in 0..2 {
        output.find(|line| line.starts_with("netflow2traces ")).unwrap();
    }
    drop(output);
    assert!(top.wait().unwrap().success());
}

#[test]
fn what_is_no_collector_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        for answer in ["200 OK\r\nContent-Length: 5\r\n\r\nup 1\n", "404 Not Found\r\nContent-Length: 0\r\n\r\n"] {
            let (mut stream, _) = listener.accept().unwrap();
            let head = BufReader::new(stream.try_clone().unwrap()).lines();
            head.map_while(Result::ok).find(String::is_empty).unwrap();
            stream.write_all(format!("HTTP/1.1 {answer}").as_bytes()).unwrap();
        }
    });
    let ask = || run(&["top", "--once", &address.to_string()]);
    assert_fails(&ask(), 1, &format!("error: http://{address}/metrics has metrics of something else"));
    assert_fails(&ask(), 1, &format!("error: http://{address}/metrics answers 404 Not Found"));
    server.join().unwrap();
    let gone = ask();
    assert!(stderr(&gone).starts_with(&format!("error: cannot read http://{address}/metrics: ")), "{}", stderr(&gone));
    assert_eq!(gone.status.code(), Some(1));
    assert_eq!(run(&["top", "ftp://localhost"]).status.code(), Some(2));
}
