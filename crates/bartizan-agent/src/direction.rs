//! Which messages may pass in which direction. The guard and the server check again; this keeps a mistake local.

use bartizan_proto::message::Message;

/// What to do with a message of the guard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FromGuard {
    /// Pass it to the server.
    Relay,
    /// For this process.
    Own,
    /// Not the guard's to send.
    Refuse,
}

pub(crate) const fn from_guard(message: &Message) -> FromGuard {
    match message {
        Message::Hello(_)
        | Message::Inventory { .. }
        | Message::JobTaken { .. }
        | Message::Output { .. }
        | Message::Receipt { .. }
        | Message::ControlRequest { .. }
        | Message::ContentRequest { .. }
        | Message::Report(_) => FromGuard::Relay,
        Message::Setup(_) | Message::TlsSigned { .. } => FromGuard::Own,
        Message::Heartbeat { .. }
        | Message::Welcome { .. }
        | Message::Control { .. }
        | Message::Job(_)
        | Message::Content { .. }
        | Message::ReceiptStored { .. }
        | Message::ReportStored { .. }
        | Message::InventoryRequest
        | Message::HeartbeatAck { .. }
        | Message::Freeze { .. }
        | Message::Link { .. }
        | Message::TlsSign { .. }
        | Message::FreezeFound { .. } => FromGuard::Refuse,
    }
}

/// Whether the server may send this to an endpoint.
pub(crate) const fn may_come_from_server(message: &Message) -> bool {
    match message {
        Message::Welcome { .. }
        | Message::Control { .. }
        | Message::Job(_)
        | Message::Content { .. }
        | Message::ReceiptStored { .. }
        | Message::ReportStored { .. }
        | Message::InventoryRequest
        | Message::HeartbeatAck { .. }
        | Message::Freeze { .. } => true,
        Message::Hello(_)
        | Message::Heartbeat { .. }
        | Message::Inventory { .. }
        | Message::JobTaken { .. }
        | Message::Output { .. }
        | Message::Receipt { .. }
        | Message::ControlRequest { .. }
        | Message::ContentRequest { .. }
        | Message::Report(_)
        | Message::Setup(_)
        | Message::Link { .. }
        | Message::TlsSign { .. }
        | Message::TlsSigned { .. }
        | Message::FreezeFound { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_speak_to_the_guard_as_the_agent_does() {
        for message in [
            Message::TlsSign { content: vec![] },
            Message::Link { server_spki: None },
            Message::Receipt { envelope: vec![] },
        ] {
            assert!(!may_come_from_server(&message), "{message:?}");
            assert_ne!(from_guard(&Message::InventoryRequest), FromGuard::Relay);
        }
        assert!(may_come_from_server(&Message::InventoryRequest));
        assert_eq!(from_guard(&Message::Receipt { envelope: vec![] }), FromGuard::Relay);
    }
}
