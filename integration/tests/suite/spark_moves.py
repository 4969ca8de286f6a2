"""Queries that move between Spark and us, as Spark runs them: a job a line, an answer a line."""

import json
import os
import sys

from pyspark.sql import SparkSession


def session():
    builder = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
    )
    jars = os.environ.get("MILLSTREAM_SPARK_JARS")
    if jars:
        paths = sorted(os.path.join(jars, name) for name in os.listdir(jars) if name.endswith(".jar"))
        return builder.config("spark.jars", ",".join(paths)).getOrCreate()
    packages = "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"
    return builder.config("spark.jars.packages", packages).getOrCreate()


def work_off(spark, job):
    rows = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", job["bootstrap"])
        .option("subscribe", job["topic"])
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", 10)
        .load()
        .selectExpr("from_json(CAST(value AS STRING), 'id BIGINT, text STRING') AS o")
        .select("o.*")
    )
    if "output" in job:
        writer = rows.writeStream.format("json").option("path", job["output"])
    else:
        writer = (
            rows.selectExpr("CAST(id AS STRING) AS key", "to_json(struct(*)) AS value")
            .writeStream.format("kafka")
            .option("kafka.bootstrap.servers", job["bootstrap"])
            .option("topic", job["target"])
        )
    query = writer.option("checkpointLocation", job["checkpoint"]).trigger(availableNow=True).start()
    query.awaitTermination()
    return {"id": str(query.id), "batches": [progress.batchId for progress in query.recentProgress]}


def read(spark, job):
    rows = spark.read.schema("id BIGINT, text STRING").json(job["output"]).collect()
    return {"ids": [row.id for row in rows]}


def main():
    spark = session()
    spark.sparkContext.setLogLevel("ERROR")
    jvm = spark._jvm.java.lang.ProcessHandle.current().pid()
    print(json.dumps({"version": spark.version, "process": jvm}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        try:
            answer = {"work_off": work_off, "read": read}[job["job"]](spark, job)
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)
    spark.stop()


main()
