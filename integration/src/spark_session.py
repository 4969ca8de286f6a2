"""One Spark session that serves jobs: a line of JSON on standard input is a job, a line on standard output its answer.

The program of a benchmark or a test follows this text; it ends with `serve({name: function})`.
"""

import json
import os
import sys
import time

from pyspark.sql import SparkSession


def session():
    cores = os.cpu_count()
    builder = (
        SparkSession.builder.master(f"local[{cores}]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "3g")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", str(cores))
    )
    jars = os.environ.get("MILLSTREAM_SPARK_JARS")
    if jars:
        paths = sorted(os.path.join(jars, name) for name in os.listdir(jars) if name.endswith(".jar"))
        return builder.config("spark.jars", ",".join(paths)).getOrCreate()
    packages = "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"
    return builder.config("spark.jars.packages", packages).getOrCreate()


def answer(value):
    print(json.dumps(value), flush=True)


def serve(jobs):
    spark = session()
    spark.sparkContext.setLogLevel("ERROR")
    jvm = spark._jvm.java.lang.ProcessHandle.current().pid()
    answer({"version": spark.version, "process": jvm})
    for line in sys.stdin:
        job = json.loads(line)
        try:
            answer(jobs[job["job"]](spark, job))
        except Exception as error:
            answer({"error": str(error)})
    spark.stop()


