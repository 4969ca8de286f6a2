//! P10: two queries over a topic of invoices: loyalty notifications back into Kafka, and flattened line items as JSON
//! files, each with its own checkpoint.

use millstream::prelude::*;

const INVOICE: &str = "InvoiceNumber STRING, CreatedTime BIGINT, StoreID STRING, PosID STRING, CashierID STRING, \
    CustomerType STRING, CustomerCardNo STRING, TotalAmount DOUBLE, NumberOfItems INT, PaymentMethod STRING, \
    CGST DOUBLE, SGST DOUBLE, CESS DOUBLE, DeliveryType STRING, \
    DeliveryAddress STRUCT<AddressLine: STRING, City: STRING, State: STRING, PinCode: STRING, ContactNumber: STRING>, \
    InvoiceLineItems ARRAY<STRUCT<ItemCode: STRING, ItemDescription: STRING, ItemPrice: DOUBLE, ItemQty: INT, \
    TotalValue: DOUBLE>>";

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("Multi Query Demo").master("local[3]").get_or_create()?;
    let schema = StructType::parse_ddl(INVOICE)?;

    let kafka_df = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("subscribe", "invoices")
        .option("startingOffsets", "earliest")
        .load()?;
    let value_df =
        kafka_df.select([from_json(col("value").cast(SparkType::String), &schema).alias("value")])?;
    value_df.print_schema();

    let notification_df = value_df
        .select(["value.InvoiceNumber", "value.CustomerCardNo", "value.TotalAmount"])?
        .with_column("EarnedLoyaltyPoints", expr("TotalAmount * 0.2"))?;
    notification_df.print_schema();
    notification_df
        .select_expr(["InvoiceNumber as key", "to_json(struct(*)) as value"])?
        .write_stream()
        .query_name("Notification Writer")
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("topic", "notifications")
        .output_mode("append")
        .option("checkpointLocation", "chk-point-dir/notify")
        .start()
        .await?;

    let flattened_df = value_df
        .select_expr([
            "value.InvoiceNumber",
            "value.CreatedTime",
            "value.StoreID",
            "value.PosID",
            "value.CustomerType",
            "value.PaymentMethod",
            "value.DeliveryType",
            "value.DeliveryAddress.City",
            "value.DeliveryAddress.State",
            "value.DeliveryAddress.PinCode",
            "explode(value.InvoiceLineItems) as LineItem",
        ])?
        .with_column("ItemCode", expr("LineItem.ItemCode"))?
        .with_column("ItemDescription", expr("LineItem.ItemDescription"))?
        .with_column("ItemPrice", expr("LineItem.ItemPrice"))?
        .with_column("ItemQty", expr("LineItem.ItemQty"))?
        .with_column("TotalValue", expr("LineItem.TotalValue"))?
        .drop(["LineItem"])?;
    flattened_df.print_schema();
    flattened_df
        .write_stream()
        .format("json")
        .query_name("Flattened Invoice Writer")
        .output_mode("append")
        .option("path", "output")
        .option("checkpointLocation", "chk-point-dir/flatten")
        .start()
        .await?;

    // Ends when a query ends: by an error, or after SIGTERM when its running batch is done.
    session.streams().await_any_termination().await
}
