//! The board on a terminal.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Table, TableState};

use super::board::{Board, COLUMNS, Sort};

/// What is to be seen, and how.
pub(super) struct View {
    pub(super) url: String,
    pub(super) version: String,
    /// `None` before the first answer.
    pub(super) board: Option<Board>,
    /// Why the last question has no answer.
    pub(super) error: Option<String>,
    pub(super) sort: Sort,
    pub(super) table: TableState,
}

impl View {
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        let [head, table, foot] =
            Layout::vertical([Constraint::Length(5), Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
        frame.render_widget(Paragraph::new(self.head()), head);
        if let Some(board) = &self.board {
            frame.render_stateful_widget(exporters(board, self.sort), table, &mut self.table);
        }
        let keys = Line::from("q quit   s sort   up and down scroll").style(Modifier::DIM);
        frame.render_widget(Paragraph::new(keys), foot);
    }

    fn head(&self) -> Vec<Line<'_>> {
        let alarm = Style::from(Color::Red).add_modifier(Modifier::BOLD);
        let mut title = Line::from(format!("netflow2traces {} at {}", self.version, self.url)).style(Modifier::BOLD);
        if let Some(error) = &self.error {
            title = Line::styled(error.as_str(), alarm);
        }
        let Some(board) = &self.board else { return vec![title] };
        let line = |name: &'static str, text| Line::from(vec![Span::styled(name, Modifier::DIM), Span::raw(text)]);
        let mut lines = vec![title];
        lines.push(line("received   ", board.received.as_str()));
        lines.push(line("delivered  ", board.delivered.as_str()));
        let dropped = line("dropped    ", board.dropped.as_str());
        lines.push(if board.is_losing { dropped.patch_style(alarm) } else { dropped });
        lines
    }
}

fn exporters(board: &Board, sort: Sort) -> Table<'_> {
    let sorted = sort.column();
    let heading = |(number, name)| {
        let modifier = if number == sorted { Modifier::REVERSED } else { Modifier::UNDERLINED };
        Line::styled(name, modifier)
    };
    let header = Row::new(COLUMNS.into_iter().enumerate().map(heading));
    let rows = board.rows.iter().map(|cells| Row::new(cells.iter().map(String::as_str)));
    let width = |number: usize| {
        let cells = board.rows.iter().map(|cells| cells[number].chars().count());
        Constraint::Length(cells.chain([COLUMNS[number].len()]).max().unwrap_or_default() as u16)
    };
    Table::new(rows, (0..COLUMNS.len()).map(width)).header(header).column_spacing(2)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::reading::Reading;
    use super::*;

    fn screen(view: &mut View) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(100, 9)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let line = |cells: &[ratatui::buffer::Cell]| cells.iter().map(|cell| cell.symbol()).collect::<String>();
        buffer.content().chunks(100).map(line).map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn everything_has_its_place() {
        let text = |flows: u32| {
            format!(
                "netflow_collector_records_total {flows}\nnetflow_collector_exporters 1\n\
                 netflow_exporter_records_total{{netflow_exporter_address=\"192.0.2.1\",netflow_exporter_name=\"core\"}} {flows}\n\
                 netflow_exporter_last_seen_seconds{{netflow_exporter_address=\"192.0.2.1\"}} 995\n\
                 netflow_exporter_version{{netflow_exporter_address=\"192.0.2.1\"}} 9\n\
                 netflow_collector_dropped_total{{error_type=\"denied\"}} 2\n"
            )
        };
        let start = Instant::now();
        let (before, now) =
            (Reading::new(&text(10), start), Reading::new(&text(2_010), start + Duration::from_secs(2)));
        let mut view = View {
            url: "http://collector:9464/metrics".to_owned(),
            version: "0.1.0".to_owned(),
            board: Some(Board::new(&now, Some(&before), Sort::Flows, 1000.0)),
            error: None,
            sort: Sort::Flows,
            table: TableState::default(),
        };
        assert_eq!(
            screen(&mut view),
            [
                "netflow2traces 0.1.0 at http://collector:9464/metrics",
                "received   0 datagrams/s, 0 B/s, 1k flows/s from 1 exporters; gaps 0",
                "delivered  0 spans/s; memory 0 B of 0 B (0 %)",
                "dropped    2 datagrams denied (0/s)",
                "",
                "exporter   name  version  datagrams/s  flows/s  flows  Templates  gaps  drops  last seen",
                "192.0.2.1  core  9        0            1k       2.01k  0          0     0      5 s",
                "",
                "q quit   s sort   up and down scroll",
            ]
        );
        view.error = Some("no answer".to_owned());
        assert_eq!(screen(&mut view)[0], "no answer");
        view.board = None;
        assert_eq!(screen(&mut view)[1..8], [""; 7]);
    }
}
