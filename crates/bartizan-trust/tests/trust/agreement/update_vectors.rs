//! Replays `vectors/update`: an endpoint below `min_agent`. With `BARTIZAN_WRITE_VECTORS=1` it writes them first, from the update of
//! `vectors/authorize` that an endpoint at `min_agent` accepts: to 0.2.0, where 0.1.0 runs.

use std::{env, fs};

use super::vectors::{Vector, folder_of, replay};
use super::*;

#[test]
fn update_vectors_are_judged_as_they_say() {
    if env::var_os("BARTIZAN_WRITE_VECTORS").is_some() {
        write("accept", "lifts_to_min_agent", "0.2.0", "run");
        write(
            "reject",
            "stays_below_min_agent",
            "0.2.1",
            super::name(Answer::No(Refusal::AgentTooOld)),
        );
    }
    replay("update", [1, 1]);
}

fn write(kind: &str, name: &str, min_agent: &str, expect: &str) {
    let accepted = folder_of("authorize", "accept").join("run_update0.json");
    let vector: Vector = serde_json::from_slice(&fs::read(accepted).unwrap()).unwrap();
    let mut text = serde_json::to_vec_pretty(&vector.under(min_agent, expect)).unwrap();
    text.push(b'\n');
    fs::create_dir_all(folder_of("update", kind)).unwrap();
    fs::write(folder_of("update", kind).join(format!("{name}.json")), text).unwrap();
}
