//! Validates and maps a batch of row events, as ../../README.md says.

mod row;

use lambda_runtime::{run, service_fn, tracing, Error, LambdaEvent};
use row::{Change, Reason, Row};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Event {
    rows: Vec<Row>,
}

#[derive(Default, Serialize)]
struct Answer {
    accepted: Vec<Change>,
    refused: Vec<Refusal>,
    total_cents: i64,
}

#[derive(Serialize)]
struct Refusal {
    index: usize,
    reason: Reason,
}

fn main() -> Result<(), Error> {
    mark::up();
    serve()
}

#[tokio::main]
async fn serve() -> Result<(), Error> {
    tracing::init_default_subscriber();
    run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Event>) -> Result<Answer, Error> {
    let mut answer = Answer::default();
    for (index, row) in event.payload.rows.into_iter().enumerate() {
        match row.accept() {
            Ok(change) => {
                answer.total_cents += change.amount_cents;
                answer.accepted.push(change);
            }
            Err(reason) => answer.refused.push(Refusal { index, reason }),
        }
    }
    Ok(answer)
}
