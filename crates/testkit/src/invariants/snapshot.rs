//! State files that are not what we wrote.

use flow_state::{Decoded, SnapshotError, State, StateConfig, Timestamp};

/// Bytes of the head in front of the checksum: magic number and layout.
const HEAD: usize = 10;

/// As a file, and as the body of a snapshot, with the head and the checksum that it would have: it is restored within the
/// budget or refused as a whole, what was restored comes back from a snapshot of its own and goes into the same snapshot,
/// a byte of which cannot change without notice, and the state decodes what comes next.
pub fn snapshot(data: &[u8]) {
    let mut config = StateConfig::default();
    config.memory = 64 << 10;
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    let empty = State::new(config.clone());
    let restored = empty.restore(data, now);
    assert!(restored.is_ok() || empty.domain_count() == 0, "{restored:?}");

    let state = State::new(config.clone());
    let restored = state.restore(&snapshot_file(data), now);
    assert!(state.memory() <= config.memory, "{} bytes of Templates", state.memory());
    match restored {
        Ok(restored) => {
            let again = State::new(config);
            let mut copy = state.snapshot();
            let copied = again.restore(&copy, now).unwrap();
            assert_eq!(copied.domains, state.domain_count());
            assert!(copied.domains <= restored.domains && copied.templates <= restored.templates);
            assert_eq!((again.template_count(), copied.refused), (state.template_count(), 0));
            assert_eq!(sorted(snapshot_body(&again)), sorted(snapshot_body(&state)));

            let at = checksum(data) as usize % copy.len();
            copy[at] ^= 1;
            let nothing = State::new(StateConfig::default());
            assert!(nothing.restore(&copy, now).is_err() && nothing.domain_count() == 0, "byte {at}");
        }
        Err(SnapshotError::Damaged | SnapshotError::TemplateScope) => {
            assert_eq!((state.memory(), state.domain_count(), state.template_count()), (0, 0, 0));
        }
        Err(error) => panic!("the head was right: {error}"),
    }
    let mut decoded = Decoded::default();
    let template = [
        0, 9, 0, 1, 0, 0, 0, 0, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0, 0, 0, 0, 7, // header
        0, 0, 0, 12, 1, 0, 0, 1, 0, 1, 0, 4, // Template 256: octetDeltaCount
        1, 0, 0, 8, 0, 0, 0, 42,
    ];
    super::decode(&state, &super::datagram(1, 0, &template), &mut decoded);
    let octets: Vec<_> = decoded.data_sets(&template).flat_map(|set| set.flows()).map(|flow| flow.octets()).collect();
    assert_eq!(octets, [Some(42)]);
}

/// The body of a real snapshot: what [`snapshot`] can start from.
pub fn snapshot_body(state: &State) -> Vec<u8> {
    state.snapshot()[HEAD + 8..].to_vec()
}

/// A body with the head and the checksum that it would have.
pub fn snapshot_file(body: &[u8]) -> Vec<u8> {
    let empty = State::new(StateConfig::default()).snapshot();
    [&empty[..HEAD], &checksum(body).to_be_bytes(), body].concat()
}

/// Templates and rows of options have no order.
fn sorted(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.sort_unstable();
    bytes
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
