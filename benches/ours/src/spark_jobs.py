"""The benchmarks' jobs in Spark: one session for all rounds, so that every round but the first finds it warm.

A job is a line of JSON on standard input, its answer a line of JSON on standard output. Timed is the job alone: the
session's own start is not counted.
"""

import json
import os
import sys
import time

from pyspark.sql import SparkSession

SCHEMA = "order_id BIGINT, customer STRING, city STRING, amount DOUBLE, quantity INT, created BIGINT, paid BOOLEAN"


def session():
    builder = (
        SparkSession.builder.master("local[*]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "3g")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", str(os.cpu_count()))
    )
    jars = os.environ.get("MILLSTREAM_SPARK_JARS")
    if jars:
        paths = sorted(os.path.join(jars, name) for name in os.listdir(jars) if name.endswith(".jar"))
        builder = builder.config("spark.jars", ",".join(paths))
    else:
        builder = builder.config("spark.jars.packages", "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0")
    return builder.getOrCreate()


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


def main():
    spark = session()
    spark.sparkContext.setLogLevel("ERROR")
    jvm = spark._jvm.java.lang.ProcessHandle.current().pid()
    print(json.dumps({"version": spark.version, "process": jvm}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        answer = {"stream": stream, "group": group}[job["job"]](spark, job)
        print(json.dumps(answer), flush=True)
    spark.stop()


main()
