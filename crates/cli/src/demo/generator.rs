//! Invoices at a steady rate, the same ones in every run.

use millstream::client::{Kafka, Producer, ProducerOptions, RecordRef};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

const SEED: u64 = 10;
/// Invoices are sent in bursts of this length, which keeps the timer out of the way at high rates.
const BURST: Duration = Duration::from_millis(10);

const STATES: [(&str, &str); 5] = [
    ("Maharashtra", "Pune"),
    ("Gujarat", "Surat"),
    ("Kerala", "Kochi"),
    ("Punjab", "Mohali"),
    ("Goa", "Panaji"),
];
const ITEMS: [(&str, f64); 6] = [
    ("Bookcase", 1499.0),
    ("Quill Pen", 12.5),
    ("Slipcover", 896.25),
    ("Table Lamp", 349.0),
    ("Umbrella", 220.0),
    ("Wicker Chair", 1048.0),
];

/// A running generator.
pub(crate) struct Generator {
    sent: Arc<AtomicU64>,
    task: JoinHandle<Result<u64, millstream::client::Error>>,
}

impl Generator {
    /// Sends `rate` invoices a second for `seconds`.
    pub(crate) fn start(kafka: &Kafka, topic: &str, rate: u32, seconds: u32) -> Self {
        let sent = Arc::new(AtomicU64::new(0));
        let producer = kafka.producer(ProducerOptions::default());
        let work = generate(producer, topic.into(), rate, Duration::from_secs(seconds.into()), sent.clone());
        Self { sent, task: tokio::spawn(work) }
    }

    /// Invoices sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether the last invoice was acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.task.is_finished()
    }

    /// How many invoices were acknowledged in all.
    pub(crate) async fn finish(self) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.task.await??)
    }
}

async fn generate(
    producer: Producer,
    topic: Arc<str>,
    rate: u32,
    length: Duration,
    sent: Arc<AtomicU64>,
) -> Result<u64, millstream::client::Error> {
    let mut random = SmallRng::seed_from_u64(SEED);
    let mut ticks = tokio::time::interval(BURST);
    let start = Instant::now();
    let total = (f64::from(rate) * length.as_secs_f64()) as u64;
    let mut number = 0;
    while number < total {
        ticks.tick().await;
        let due = ((start.elapsed().as_secs_f64() * f64::from(rate)) as u64).min(total);
        while number < due {
            let (key, text) = invoice(&mut random, number);
            let record =
                RecordRef { key: Some(key.as_bytes()), value: Some(text.as_bytes()), ..RecordRef::default() };
            producer.send(&topic, None, record).await?;
            number += 1;
            sent.store(number, Ordering::Relaxed);
        }
    }
    producer.flush().await?;
    Ok(total)
}

fn invoice(random: &mut SmallRng, number: u64) -> (String, String) {
    let items: Vec<Value> = (0..random.random_range(1..=4)).map(|_| item(random)).collect();
    let total: f64 = items.iter().filter_map(|item| item["TotalValue"].as_f64()).sum();
    let store = format!("STR{}", random.random_range(1000..9999));
    let (state, city) = STATES[random.random_range(0..STATES.len())];
    let home = random.random_bool(0.5);
    let invoice = json!({
        "InvoiceNumber": (51_402_977 + number).to_string(),
        "CreatedTime": 1_774_267_807_849_u64 + number,
        "StoreID": store,
        "PosID": format!("POS{}", random.random_range(100..999)),
        "CashierID": format!("OAS{}", random.random_range(100..999)),
        "CustomerType": if random.random_bool(0.4) { "PRIME" } else { "NONPRIME" },
        "CustomerCardNo": random.random_range(1_000_000_000_u64..9_999_999_999).to_string(),
        "TotalAmount": total,
        "NumberOfItems": items.len(),
        "PaymentMethod": if random.random_bool(0.6) { "CARD" } else { "CASH" },
        "CGST": total * 0.025,
        "SGST": total * 0.025,
        "CESS": total * 0.00125,
        "DeliveryType": if home { "HOME-DELIVERY" } else { "TAKEAWAY" },
        "DeliveryAddress": if home { address(random, state, city) } else { Value::Null },
        "InvoiceLineItems": items,
    });
    (store, invoice.to_string())
}

fn item(random: &mut SmallRng) -> Value {
    let at = random.random_range(0..ITEMS.len());
    let (name, price) = ITEMS[at];
    let quantity = random.random_range(1..=3);
    json!({
        "ItemCode": (248 + at).to_string(),
        "ItemDescription": name,
        "ItemPrice": price,
        "ItemQty": quantity,
        "TotalValue": price * f64::from(quantity),
    })
}

fn address(random: &mut SmallRng, state: &str, city: &str) -> Value {
    json!({
        "AddressLine": format!("{} Main Road", random.random_range(1..400)),
        "City": city,
        "State": state,
        "PinCode": random.random_range(100_000..999_999).to_string(),
        "ContactNumber": random.random_range(1_000_000_000_u64..9_999_999_999).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outcome;

    #[test]
    fn the_same_seed_gives_the_same_invoices() -> Outcome {
        let (mut one, mut other) = (SmallRng::seed_from_u64(SEED), SmallRng::seed_from_u64(SEED));
        for number in 0..50 {
            assert_eq!(invoice(&mut one, number), invoice(&mut other, number));
        }
        let (_, text) = invoice(&mut one, 50);
        let parsed: Value = serde_json::from_str(&text)?;
        assert_eq!(
            parsed["NumberOfItems"].as_u64(),
            parsed["InvoiceLineItems"].as_array().map(|items| items.len() as u64)
        );
        Ok(())
    }
}
