//! The two queries: loyalty notifications back into Kafka, and flattened line items as JSON files.

use crate::Outcome;
use millstream::prelude::*;
use std::path::Path;

pub(crate) const INVOICES: &str = "invoices";
pub(crate) const NOTIFICATIONS: &str = "notifications";

const SCHEMA: &str = "InvoiceNumber STRING, CreatedTime BIGINT, StoreID STRING, PosID STRING, CashierID STRING, \
    CustomerType STRING, CustomerCardNo STRING, TotalAmount DOUBLE, NumberOfItems INT, PaymentMethod STRING, \
    CGST DOUBLE, SGST DOUBLE, CESS DOUBLE, DeliveryType STRING, \
    DeliveryAddress STRUCT<AddressLine: STRING, City: STRING, State: STRING, PinCode: STRING, ContactNumber: STRING>, \
    InvoiceLineItems ARRAY<STRUCT<ItemCode: STRING, ItemDescription: STRING, ItemPrice: DOUBLE, ItemQty: INT, \
    TotalValue: DOUBLE>>";

const ITEM: [&str; 5] = ["ItemCode", "ItemDescription", "ItemPrice", "ItemQty", "TotalValue"];

/// Starts both.
pub(crate) async fn start(session: &Session, bootstrap: &str, folder: &Path) -> Result<[StreamingQuery; 2]> {
    let schema = StructType::parse_ddl(SCHEMA)?;
    let invoices = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", INVOICES)
        .option("startingOffsets", "earliest")
        .load()?
        .select([from_json(col("value").cast(SparkType::String), &schema).alias("value")])?;

    let notifications = invoices
        .select(["value.InvoiceNumber", "value.CustomerCardNo", "value.TotalAmount"])?
        .with_column("EarnedLoyaltyPoints", expr("TotalAmount * 0.2"))?
        .select_expr(["InvoiceNumber as key", "to_json(struct(*)) as value"])?
        .write_stream()
        .query_name("Notification Writer")
        .format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("topic", NOTIFICATIONS)
        .option("checkpointLocation", folder.join("checkpoints/notify").display())
        .start()
        .await?;

    let mut items = invoices.select_expr([
        "value.InvoiceNumber",
        "value.StoreID",
        "value.CustomerType",
        "value.PaymentMethod",
        "value.DeliveryAddress.City",
        "explode(value.InvoiceLineItems) as LineItem",
    ])?;
    for column in ITEM {
        items = items.with_column(column, expr(format!("LineItem.{column}")))?;
    }
    let items = items
        .drop(["LineItem"])?
        .write_stream()
        .query_name("Flattened Invoice Writer")
        .format("json")
        .option("path", folder.join("output").display())
        .option("checkpointLocation", folder.join("checkpoints/flatten").display())
        .start()
        .await?;
    Ok([notifications, items])
}

/// Shows what came out.
pub(crate) async fn sample(session: &Session, bootstrap: &str, folder: &Path) -> Outcome {
    println!("\nfrom the topic {NOTIFICATIONS}:");
    session
        .read()
        .format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", NOTIFICATIONS)
        .load()?
        .select_expr(["CAST(key AS STRING)", "CAST(value AS STRING)"])?
        .show_with(5, false, false)
        .await?;
    println!("\nfrom the files of {}:", folder.join("output").display());
    let mut lines = 0;
    'files: for entry in std::fs::read_dir(folder.join("output"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            for line in std::fs::read_to_string(&path)?.lines() {
                println!("{line}");
                lines += 1;
                if lines == 5 {
                    break 'files;
                }
            }
        }
    }
    Ok(())
}
