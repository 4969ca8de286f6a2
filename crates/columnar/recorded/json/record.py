"""Records what Spark's from_json, to_json, schema_of_json and spark.read.json do with the inputs listed in
cases.py, as from_json.jsonl, to_json.jsonl and infer.jsonl. Needs pyspark 4.2.0 and Java 17:

    python3 record.py

A header line {"schema", "options"} is followed by one line a document. Rows are the result cast to string, with the
session time zone UTC. Where a row is not whole under PERMISSIVE, FAILFAST is tried too and its condition and
badRecord are kept.
"""

import json
import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import cases

here = os.path.dirname(os.path.abspath(__file__))
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.driver.host", "127.0.0.1")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")


def failure(error):
    """Condition and badRecord of the cause that names a record, else of the innermost that has a condition."""
    found = None
    cause = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    while cause is not None:
        if spark._jvm.org.apache.spark.SparkThrowable._java_lang_class.isInstance(cause) and cause.getCondition():
            record = cause.getMessageParameters().get("badRecord")
            found = [cause.getCondition(), record or ""]
            if record is not None:
                break
        cause = cause.getCause()
    return found or [type(error).__name__, str(error).split("\n")[0][:200]]


def parse(documents, schema, options):
    frame = spark.createDataFrame([(d,) for d in documents], "v string")
    return frame.select(F.from_json("v", schema, options).cast("string")).collect()


def write(name, lines):
    with open(os.path.join(here, name), "w") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=True) + "\n")


def from_json():
    for schema, options, documents in cases.FROM_JSON:
        yield {"schema": schema, "options": options}
        try:
            rows = [row[0] for row in parse(documents, schema, options)]
        except Exception as error:
            yield {"refused": failure(error)}
            continue
        for document, row in zip(documents, rows):
            line = [document, row]
            if options.get("mode") is None:
                try:
                    parse([document], schema, options | {"mode": "FAILFAST"})
                except Exception as error:
                    line += failure(error)
            yield line


def to_json():
    for schema, options, documents in cases.TO_JSON:
        yield {"schema": schema, "options": options}
        for document in documents:
            frame = spark.createDataFrame([(document,)], "v string")
            frame = frame.select(F.from_json("v", schema).alias("x"))
            try:
                text = frame.select(F.to_json("x", options)).collect()[0][0]
                yield [document, text]
            except Exception as error:
                yield {"document": document, "refused": failure(error)}


def infer():
    for options, documents in cases.INFER:
        try:
            found = spark.read.options(**options).json(spark.sparkContext.parallelize(documents, 1))
            yield {"options": options, "documents": documents, "schema": found.schema.simpleString()}
        except Exception as error:
            yield {"options": options, "documents": documents, "refused": failure(error)}


def schema_of():
    for options, document in cases.SCHEMA_OF:
        try:
            text = spark.range(1).select(F.schema_of_json(F.lit(document), options)).collect()[0][0]
            yield {"options": options, "document": document, "schema": text}
        except Exception as error:
            yield {"options": options, "document": document, "refused": failure(error)}


wanted = sys.argv[1:] or ["from_json", "to_json", "infer", "schema_of"]
for name in wanted:
    write(name + ".jsonl", globals()[name]())
