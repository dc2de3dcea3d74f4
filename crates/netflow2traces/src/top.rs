//! `top`: what a running collector receives, delivers and loses, once a second.

mod board;
mod reading;
mod view;

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use clap::Args;
use hyper::{StatusCode, Uri};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::widgets::TableState;
use tokio::runtime::{Builder, Runtime};

use crate::error::UsageError;
use crate::fetch;
use board::{Board, COLUMNS, Sort};
use reading::Reading;
use view::View;

/// Arguments of `top`.
#[derive(Args)]
pub(crate) struct TopArgs {
    /// Where the collector serves its metrics
    #[arg(value_name = "URL", default_value = "http://localhost:9464/metrics")]
    url: String,

    /// What the exporters are sorted by
    #[arg(long, value_name = "COLUMN", default_value = "flows")]
    sort: Sort,

    /// Print two seconds as text and end, also on a terminal
    #[arg(long)]
    once: bool,
}

/// Time from one reading to the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a key may wait for its effect.
const KEY_INTERVAL: Duration = Duration::from_millis(50);

/// Shows the collector: on a terminal until `q`, otherwise as text, a block for each second.
///
/// # Errors
///
/// No URL, a terminal that cannot be used; as text also a collector that does not answer.
pub(crate) fn run(args: &TopArgs) -> anyhow::Result<()> {
    let url = url(&args.url)?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let readings = readings(&runtime, url.clone());
    let result = if args.once || !io::stdout().is_terminal() {
        print(&url, &readings, args)
    } else {
        show(&url, &readings, args.sort)
    };
    runtime.shutdown_background();
    result
}

/// The path may be left out, and the scheme.
fn url(text: &str) -> Result<Uri, UsageError> {
    let invalid = || UsageError::new(format!("{text:?}: expected a URL such as http://localhost:9464/metrics"));
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url: Uri = text.parse().map_err(|_| invalid())?;
    let mut parts = url.into_parts();
    if parts.scheme.as_ref().is_none_or(|scheme| scheme.as_str() != "http") || parts.authority.is_none() {
        return Err(invalid());
    }
    if parts.path_and_query.as_ref().is_none_or(|path| path.as_str() == "/") {
        parts.path_and_query = Some(hyper::http::uri::PathAndQuery::from_static("/metrics"));
    }
    Uri::from_parts(parts).map_err(|_| invalid())
}

/// A reading every second, or why there is none. Ends with its receiver.
fn readings(runtime: &Runtime, url: Uri) -> Receiver<anyhow::Result<Reading>> {
    let (sender, readings) = mpsc::channel();
    runtime.spawn(async move {
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let reading = read(&url).await;
            if sender.send(reading).is_err() {
                break;
            }
        }
    });
    readings
}

async fn read(url: &Uri) -> anyhow::Result<Reading> {
    let (status, text) = fetch::get(url).await?;
    ensure!(status == StatusCode::OK, "{url} answers {status}");
    let reading = Reading::new(&String::from_utf8_lossy(&text), Instant::now());
    ensure!(reading.is_of_a_collector(), "{url} has metrics of something else");
    Ok(reading)
}

fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The first block comes with the second reading, which gives rates.
fn print(url: &Uri, readings: &Receiver<anyhow::Result<Reading>>, args: &TopArgs) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    let mut before = readings.recv().context("nobody reads")??;
    loop {
        let now = readings.recv().context("nobody reads")??;
        let board = Board::new(&now, Some(&before), args.sort, unix_time());
        write_text(&mut output, url, &now.version, &board)?;
        output.flush()?;
        if args.once {
            return Ok(());
        }
        before = now;
    }
}

fn write_text(output: &mut impl Write, url: &Uri, version: &str, board: &Board) -> io::Result<()> {
    writeln!(output, "netflow2traces {version} at {url}")?;
    writeln!(output, "received   {}", board.received)?;
    writeln!(output, "delivered  {}", board.delivered)?;
    writeln!(output, "dropped    {}", board.dropped)?;
    let heading = COLUMNS.map(str::to_owned);
    let lines = || [&heading].into_iter().chain(&board.rows);
    let width = |column: usize| lines().map(|cells| cells[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; COLUMNS.len()] = std::array::from_fn(width);
    for cells in lines() {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(output, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    writeln!(output)
}

fn show(url: &Uri, readings: &Receiver<anyhow::Result<Reading>>, sort: Sort) -> anyhow::Result<()> {
    let mut terminal = ratatui::try_init().context("cannot use the terminal")?;
    let mut top = Top::new(url, sort);
    let result = loop {
        while let Ok(reading) = readings.try_recv() {
            top.take(reading);
        }
        if let Err(error) = terminal.draw(|frame| top.view.draw(frame)) {
            break Err(error);
        }
        match event::poll(KEY_INTERVAL).and_then(|ready| if ready { event::read().map(Some) } else { Ok(None) }) {
            Ok(Some(Event::Key(key))) if key.kind == KeyEventKind::Press && top.press(key.code, key.modifiers) => {
                break Ok(());
            }
            Ok(_) => {}
            Err(error) => break Err(error),
        }
    };
    ratatui::restore();
    result.context("cannot use the terminal")
}

/// What keys and readings make of the view.
struct Top {
    view: View,
    now: Option<Reading>,
    before: Option<Reading>,
}

impl Top {
    fn new(url: &Uri, sort: Sort) -> Self {
        let (version, table) = (String::new(), TableState::default());
        let view = View { url: url.to_string(), version, board: None, error: None, sort, table };
        Self { view, now: None, before: None }
    }

    fn take(&mut self, reading: anyhow::Result<Reading>) {
        match reading {
            Ok(reading) => {
                self.view.error = None;
                self.view.version.clone_from(&reading.version);
                self.before = self.now.replace(reading);
                self.refresh();
            }
            // What was read last stays to be seen.
            Err(error) => self.view.error = Some(format!("{error:#}")),
        }
    }

    fn refresh(&mut self) {
        let Some(now) = &self.now else { return };
        self.view.board = Some(Board::new(now, self.before.as_ref(), self.view.sort, unix_time()));
    }

    /// Whether to end.
    fn press(&mut self, key: KeyCode, modifiers: KeyModifiers) -> bool {
        match key {
            KeyCode::Char('q') | KeyCode::Esc => return true,
            KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => return true,
            KeyCode::Char('s') => {
                self.view.sort = self.view.sort.next();
                self.refresh();
            }
            KeyCode::Down => self.scroll(1),
            KeyCode::PageDown => self.scroll(10),
            KeyCode::Up => self.scroll(-1),
            KeyCode::PageUp => self.scroll(-10),
            _ => {}
        }
        false
    }

    fn scroll(&mut self, rows: isize) {
        let last = self.view.board.as_ref().map_or(0, |board| board.rows.len()).saturating_sub(1);
        let offset = self.view.table.offset().saturating_add_signed(rows);
        *self.view.table.offset_mut() = offset.min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_leave_out_what_is_usual() {
        for (text, expected) in [
            ("http://localhost:9464/metrics", "http://localhost:9464/metrics"),
            ("collector:9464", "http://collector:9464/metrics"),
            ("http://[::1]:9464/", "http://[::1]:9464/metrics"),
            ("http://proxy/collectors/1", "http://proxy/collectors/1"),
        ] {
            assert_eq!(url(text).unwrap().to_string(), expected);
        }
        for text in ["", "https://collector:9464", "http://", "a b"] {
            assert!(url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_sort_scroll_and_end() {
        let mut top = Top::new(&url("localhost:9464").unwrap(), Sort::Address);
        let press = |top: &mut Top, key| top.press(key, KeyModifiers::NONE);
        let exporter = |number| {
            format!("netflow_exporter_records_total{{netflow_exporter_address=\"192.0.2.{number}\"}} {number}\n")
        };
        top.take(Ok(Reading::new(&(1..=20).map(exporter).collect::<String>(), Instant::now())));
        for (key, offset) in [
            (KeyCode::Down, 1),
            (KeyCode::PageDown, 11),
            (KeyCode::PageDown, 19),
            (KeyCode::Up, 18),
            (KeyCode::Home, 18),
        ] {
            assert!(!press(&mut top, key));
            assert_eq!(top.view.table.offset(), offset);
        }
        assert!(!press(&mut top, KeyCode::Char('s')));
        assert_eq!(top.view.sort, Sort::Flows);
        assert!(!press(&mut top, KeyCode::Char('c')));
        assert!(top.press(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(press(&mut top, KeyCode::Char('q')) && press(&mut top, KeyCode::Esc));
    }

    #[test]
    fn what_was_read_stays_when_nobody_answers() {
        let mut top = Top::new(&url("localhost:9464").unwrap(), Sort::Flows);
        top.take(Err(anyhow::anyhow!("connection refused").context("cannot read")));
        assert!(top.view.board.is_none());
        top.take(Ok(Reading::new("", Instant::now())));
        assert!(top.view.board.is_some() && top.view.error.is_none());
        top.take(Err(anyhow::anyhow!("connection refused").context("cannot read")));
        assert!(top.view.board.is_some());
        assert_eq!(top.view.error.as_deref(), Some("cannot read: connection refused"));
    }
}
