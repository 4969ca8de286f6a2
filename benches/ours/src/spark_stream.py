# The same job in Spark, timed from the query's start to its end; the session's own start is not counted.
import sys
import time

from pyspark.sql import SparkSession

bootstrap, source, target, checkpoint = sys.argv[1:5]
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.jars.packages", "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)
schema = "order_id BIGINT, customer STRING, city STRING, amount DOUBLE, quantity INT, created BIGINT, paid BOOLEAN"
start = time.time()
query = (
    spark.readStream.format("kafka")
    .option("kafka.bootstrap.servers", bootstrap)
    .option("subscribe", source)
    .option("startingOffsets", "earliest")
    .option("maxOffsetsPerTrigger", 500000)
    .load()
    .selectExpr(f"from_json(CAST(value AS STRING), '{schema}') AS o")
    .select("o.*")
    .where("amount > 2500")
    .selectExpr("CAST(order_id AS STRING) AS key", "to_json(struct(*)) AS value")
    .writeStream.format("kafka")
    .option("kafka.bootstrap.servers", bootstrap)
    .option("topic", target)
    .option("checkpointLocation", checkpoint)
    .trigger(availableNow=True)
    .start()
)
query.awaitTermination()
print(time.time() - start)
