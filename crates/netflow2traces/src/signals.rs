//! SIGINT and SIGTERM: the first asks to stop, the second ends the program at once. SIGHUP asks to read settings again.

use std::io;
use std::process;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

/// Whether someone asked the program to stop.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens to signals from now on.
    pub(crate) fn listen(runtime: &Handle) -> io::Result<Self> {
        let _context = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (sender, receiver) = watch::channel(false);
        runtime.spawn(async move {
            loop {
                let name = tokio::select! {
                    _ = interrupt.recv() => "SIGINT",
                    _ = terminate.recv() => "SIGTERM",
                };
                if sender.send_replace(true) {
                    warn!(signal = name, "second signal, ending at once");
                    process::exit(1);
                }
                info!(signal = name, "stopping");
            }
        });
        Ok(Self(receiver))
    }

    /// Whether to stop.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes when it is time to stop.
    pub(crate) async fn requested(&mut self) {
        // The sender lives as long as the runtime.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// Whether someone asked the program to read its settings again.
pub(crate) struct Hangup(Signal);

impl Hangup {
    /// Listens to SIGHUP from now on, which would end the program otherwise.
    pub(crate) fn listen(runtime: &Handle) -> io::Result<Self> {
        let _context = runtime.enter();
        Ok(Self(signal(SignalKind::hangup())?))
    }

    /// Completes when settings are to be read again; once for signals that came meanwhile.
    pub(crate) async fn requested(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending().await
        }
    }
}

/// Has SIGHUP do nothing but say so, where there are no settings to be read again.
pub(crate) fn ignore_hangup(runtime: &Handle) -> io::Result<()> {
    let mut hangup = Hangup::listen(runtime)?;
    runtime.spawn(async move {
        loop {
            hangup.requested().await;
            info!(signal = "SIGHUP", "there is nothing to reload");
        }
    });
    Ok(())
}
