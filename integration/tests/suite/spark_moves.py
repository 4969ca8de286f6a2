# Queries that move between Spark and us, as Spark runs them.


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


serve({"work_off": work_off, "read": read})
