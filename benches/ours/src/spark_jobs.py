# The benchmarks' jobs in Spark. Timed is the job alone: the session's own start is not counted, and one session serves
# all rounds, so that every round but the first finds it warm.

SCHEMA = "order_id BIGINT, customer STRING, city STRING, amount DOUBLE, quantity INT, created BIGINT, paid BOOLEAN"


def stream(spark, job):
    start = time.time()
    query = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", job["bootstrap"])
        .option("subscribe", job["source"])
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", 500000)
        .load()
        .selectExpr(f"from_json(CAST(value AS STRING), '{SCHEMA}') AS o")
        .select("o.*")
        .where("amount > 2500")
        .selectExpr("CAST(order_id AS STRING) AS key", "to_json(struct(*)) AS value")
        .writeStream.format("kafka")
        .option("kafka.bootstrap.servers", job["bootstrap"])
        .option("topic", job["target"])
        .option("checkpointLocation", job["checkpoint"])
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    return {"seconds": time.time() - start}


def group(spark, job):
    start = time.time()
    orders = (
        spark.read.format("kafka")
        .option("kafka.bootstrap.servers", job["bootstrap"])
        .option("subscribe", job["source"])
        .load()
        .selectExpr(f"from_json(CAST(value AS STRING), '{SCHEMA}') AS o")
        .select("o.*")
    )
    orders.createOrReplaceTempView("orders")
    rows = spark.sql(job["query"]).collect()
    return {"seconds": time.time() - start, "rows": [list(row) for row in rows]}


serve({"stream": stream, "group": group})
