//! Answers a constant.

use lambda_runtime::{run, service_fn, tracing, Error, LambdaEvent};
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Answer {
    message: &'static str,
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

async fn handle(_event: LambdaEvent<Value>) -> Result<Answer, Error> {
    Ok(Answer {
        message: "hello spike",
    })
}
