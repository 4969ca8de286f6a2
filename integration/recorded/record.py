"""Records cases: runs each file of a folder on a real Spark and a real Kafka, and writes it with what came of it.

    BROKERS=127.0.0.1:9092 JARS=<folder of the Kafka connector's jars> python3 record.py <cases> <recorded>

Needs pyspark 4.2.0 and confluent-kafka. The form of a case is that of ../golden/README.md; of its steps these are
known: produce, create_topics, add_partitions, delete_topic, delete_records, wait_ms, process, restart, collect, save,
read_topic. A case that is there already is not recorded again.
"""

import base64
import datetime
import decimal
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

os.environ["TZ"] = "UTC"
time.tzset()

from confluent_kafka import Consumer, Producer, TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic  # noqa: E402
from pyspark.sql import SparkSession, functions as F  # noqa: E402

BROKERS = os.environ["BROKERS"]
SETTINGS = {"spark.sql.session.timeZone": "UTC", "spark.sql.streaming.pollingDelay": "1000"}


def start_spark():
    jars = ",".join(str(jar) for jar in pathlib.Path(os.environ["JARS"]).glob("*.jar"))
    builder = SparkSession.builder.master("local[2]").config("spark.jars", jars)
    builder = builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2")
    session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


# Values, rows and errors in the golden form.


def value(cell):
    if cell is None or isinstance(cell, (bool, int, str)):
        return cell
    if isinstance(cell, float):
        if cell != cell:
            return "NaN"
        return cell if abs(cell) != float("inf") else ("Infinity" if cell > 0 else "-Infinity")
    if isinstance(cell, decimal.Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime.datetime):
        text = cell.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0")
        return text + (".%06d" % cell.microsecond if cell.microsecond else "")
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    if isinstance(cell, (bytes, bytearray)):
        try:
            return {"utf8": bytes(cell).decode("utf-8")}
        except UnicodeDecodeError:
            return {"b64": base64.b64encode(bytes(cell)).decode()}
    if isinstance(cell, list):
        return [value(item) for item in cell]
    if isinstance(cell, dict):
        return {"map": sorted([[value(k), value(v)] for k, v in cell.items()], key=json.dumps)}
    return {name: value(item) for name, item in zip(cell.__fields__, cell)}


def rows_of(frame):
    rows = [[value(cell) for cell in row] for row in frame.collect()]
    return sorted(rows, key=lambda row: json.dumps(row, ensure_ascii=False))


def schema_of(frame):
    return [[field.name, field.dataType.simpleString()] for field in frame.schema.fields]


def neutral(text, home):
    if text is None:
        return None
    text = text.replace(BROKERS, "<brokers>").replace(home, "<path>")
    # A plan that is shown behind the message says how Spark prints plans, and no more.
    text = text.split(";\n")[0]
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
    return re.sub(r"#\d+L?", "#<n>", text)[:700]


class Errors:
    """Java's exceptions in the golden form: the innermost with a condition, else the innermost."""

    def __init__(self, jvm):
        self.with_condition = jvm.java.lang.Class.forName("org.apache.spark.SparkThrowable")

    def condition(self, error):
        return error.getCondition() if self.with_condition.isInstance(error) else None

    def of(self, error, phase, home):
        chain = []
        while error is not None and len(chain) < 12:
            chain.append(error)
            error = error.getCause()
        named = [error for error in chain if self.condition(error)]
        best = named[-1] if named else chain[-1]
        if self.condition(best) == "STREAM_FAILED":
            best = chain[-1]
        found = {"phase": phase, "class": best.getClass().getName()}
        if condition := self.condition(best):
            found["condition"] = condition
            found["sqlstate"] = best.getSqlState()
            parameters = {name: neutral(text, home) for name, text in dict(best.getMessageParameters()).items()}
            if parameters:
                found["parameters"] = parameters
        found["message"] = neutral(best.getMessage(), home)
        if len(chain) > 1:
            found["chain"] = [
                {"class": error.getClass().getName(), "condition": self.condition(error)} for error in chain
            ]
        return found


def java_error(exception):
    error = getattr(exception, "_origin", None) or getattr(exception, "java_exception", None)
    if error is None:
        raise exception
    return error


# The cluster.


class Cluster:
    def __init__(self):
        self.admin = AdminClient({"bootstrap.servers": BROKERS})

    def done(self, futures):
        for future in futures.values():
            future.result()

    def create(self, topics):
        settings = lambda topic: {"retention.ms": "-1", **topic.get("config", {})}  # noqa: E731
        new = [NewTopic(t["name"], t["partitions"], 1, config=settings(t)) for t in topics]
        self.done(self.admin.create_topics(new))

    def produce(self, records):
        raw = lambda x: x if x is None else base64.b64decode(x["b64"]) if isinstance(x, dict) else x.encode()  # noqa: E731
        producer = Producer({"bootstrap.servers": BROKERS, "linger.ms": 0})
        for record in records:
            headers = record.get("headers")
            more = {} if headers is None else {"headers": [(name, raw(text)) for name, text in headers]}
            producer.produce(
                record["topic"], value=raw(record.get("value")), key=raw(record.get("key")),
                partition=record["partition"], timestamp=record.get("timestamp_ms") or 0, **more,
            )
        assert producer.flush(30) == 0

    def read(self, topic):
        consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": topic, "enable.auto.commit": False})
        partitions = consumer.list_topics(topic, 10).topics[topic].partitions
        places = [TopicPartition(topic, partition, 0) for partition in partitions]
        wanted = sum(consumer.get_watermark_offsets(place, 10)[1] for place in places)
        consumer.assign(places)
        found = []
        while len(found) < wanted and (message := consumer.poll(10)) is not None:
            headers = message.headers()
            found.append({
                "partition": message.partition(), "key": value(message.key()), "value": value(message.value()),
                "headers": [[name, value(raw)] for name, raw in headers] if headers else None,
            })
        consumer.close()
        return sorted(found, key=lambda record: (record["partition"], json.dumps(record)))


# Frames.


def read(spark, step):
    reader = (spark.read if step["op"] == "read" else spark.readStream).format(step["format"])
    for name, text in {"kafka.bootstrap.servers": BROKERS, **step.get("options", {})}.items():
        if text is not None:
            reader = reader.option(name, text)
    if step.get("schema"):
        reader = reader.schema(step["schema"])
    return reader.load()


def build(spark, frames):
    made = {}
    operations = {
        "read": lambda frame, s: read(spark, s),
        "readStream": lambda frame, s: read(spark, s),
        "rows": lambda frame, s: spark.createDataFrame([tuple(row) for row in s["rows"]], s["schema"]),
        "frame": lambda frame, s: made[s["name"]],
        "sql": lambda frame, s: spark.sql(s["text"]),
        "selectExpr": lambda frame, s: frame.selectExpr(*s["exprs"]),
        "where": lambda frame, s: frame.where(s["cond"]),
        "withColumn": lambda frame, s: frame.withColumn(s["name"], F.expr(s["expr"])),
        "drop": lambda frame, s: frame.drop(*s["cols"]),
        "union": lambda frame, s: frame.union(made[s["other"]]),
        "intersect": lambda frame, s: frame.intersect(made[s["other"]]),
        "subtract": lambda frame, s: frame.subtract(made[s["other"]]),
        "exceptAll": lambda frame, s: frame.exceptAll(made[s["other"]]),
        "limit": lambda frame, s: frame.limit(s["n"]),
        "offset": lambda frame, s: frame.offset(s["n"]),
        "sample": lambda frame, s: frame.sample(s["fraction"]),
        "alias": lambda frame, s: frame.alias(s["name"]),
        "withWatermark": lambda frame, s: frame.withWatermark(s["col"], s["delay"]),
        "dropDuplicates": lambda frame, s: frame.dropDuplicates(s.get("cols")),
        "rollup": lambda frame, s: frame.rollup(*map(F.expr, s["keys"])).agg(*map(F.expr, s["aggs"])),
        "cube": lambda frame, s: frame.cube(*map(F.expr, s["keys"])).agg(*map(F.expr, s["aggs"])),
        "crossJoin": lambda frame, s: frame.crossJoin(made[s["right"]]),
        "distinct": lambda frame, s: frame.distinct(),
        "orderBy": lambda frame, s: frame.orderBy(*map(F.expr, s["exprs"])),
        "groupBy": lambda frame, s: frame.groupBy(*map(F.expr, s["keys"])).agg(*map(F.expr, s["aggs"])),
        "join": lambda frame, s: frame.join(made[s["right"]], F.expr(s["on"]), s["how"]),
    }
    for name, steps in frames.items():
        frame = None
        for step in steps:
            frame = operations[step["op"]](frame, step)
        made[name] = frame
        frame.createOrReplaceTempView(name)
    return made


# A case.


class Run:
    def __init__(self, spark, cluster, errors, case):
        self.spark, self.cluster, self.errors = spark.newSession(), cluster, errors
        self.home = tempfile.mkdtemp(prefix=case["name"])
        query = case.get("query", {})
        for name, text in {**SETTINGS, **query.get("conf", {})}.items():
            self.spark.conf.set(name, text)
        self.frames, self.result = query.get("frames", {}), query.get("result")
        self.frames = json.loads(json.dumps(self.frames))
        self.write = dict(query.get("write", {}))
        self.query, self.captured, self.seen = None, [], []

    def frame(self):
        return build(self.spark, self.frames)[self.result]

    def step(self, step):
        known = {
            "produce": self.cluster.produce,
            "create_topics": self.cluster.create,
            "add_partitions": self.add_partitions,
            "delete_topic": lambda topic: (self.cluster.done(self.cluster.admin.delete_topics([topic])), time.sleep(2)),
            "delete_records": self.delete_records,
            "wait_ms": lambda ms: time.sleep(ms / 1000),
        }
        whole = {
            "restart": self.restart, "collect": self.collect, "save": self.save, "read_topic": self.read_topic,
            "process": self.process,
        }
        for name, action in known.items():
            if name in step:
                return action(step[name])
        for name, action in whole.items():
            if name in step:
                return action(step)
        raise ValueError(f"no such step: {step}")

    def add_partitions(self, wanted):
        new = NewPartitions(wanted["topic"], wanted["count"])
        self.cluster.done(self.cluster.admin.create_partitions([new]))
        time.sleep(1)

    def delete_records(self, wanted):
        place = TopicPartition(wanted["topic"], wanted["partition"], wanted["before"])
        self.cluster.done(self.cluster.admin.delete_records([place]))

    def restart(self, changes):
        if self.query:
            self.query.stop()
            self.query = None
        for frame, options in changes.get("options", {}).items():
            for step in self.frames[frame]:
                if step["op"] in ("read", "readStream"):
                    step["options"].update(options)
        self.frames.update(changes.get("frames", {}))
        self.write.update(changes.get("write", {}))
        for name, text in changes.get("conf", {}).items():
            self.spark.conf.set(name, text)

    def collect(self, step):
        phase = "build"
        try:
            frame = self.frame()
            schema, phase = schema_of(frame), "run"
            step["rows"] = rows_of(frame)
            step["schema"] = schema
        except Exception as exception:
            step["error"] = self.errors.of(java_error(exception), phase, self.home)

    def save(self, step):
        phase = "build"
        try:
            frame, phase = self.frame(), "save"
            writer = frame.write.format(self.write["format"])
            for name, text in self.write_options().items():
                writer = writer.option(name, text)
            if mode := self.write.get("mode"):
                writer = writer.mode(mode)
            writer.save()
            step["status"] = "ok"
        except Exception as exception:
            step["error"] = self.errors.of(java_error(exception), phase, self.home)

    def read_topic(self, step):
        step["records"] = self.cluster.read(step["read_topic"])

    def write_options(self):
        brokers = {"kafka.bootstrap.servers": BROKERS} if self.write["format"] == "kafka" else {}
        options = {**brokers, **self.write.get("options", {})}
        return {name: text for name, text in options.items() if text is not None}

    def start(self, frame):
        writer = frame.writeStream
        if mode := self.write.get("outputMode"):
            writer = writer.outputMode(mode)
        if name := self.write.get("queryName"):
            writer = writer.queryName(name)
        for name, text in self.write_options().items():
            writer = writer.option(name, text)
        if self.write.get("checkpoint", True):
            writer = writer.option("checkpointLocation", self.home + "/checkpoint")
        if trigger := self.write.get("trigger"):
            writer = writer.trigger(**trigger)
        if self.write["format"] == "rows":
            keep = lambda frame, batch: self.captured.append({"id": batch, "rows": rows_of(frame)})  # noqa: E731
            return writer.foreachBatch(keep).start()
        return writer.format(self.write["format"]).start()

    def process(self, step):
        phase = "build"
        self.captured.clear()
        try:
            frame = self.frame()
            schema = schema_of(frame)
            if self.query is None or not self.query.isActive:
                phase, self.seen = "start", []
                self.query = self.start(frame)
            phase = "run"
            if set(self.write.get("trigger") or {}) & {"availableNow", "once"}:
                self.query.awaitTermination()
            else:
                self.query.processAllAvailable()
            time.sleep(0.2)
            step["schema"] = schema
        except Exception as exception:
            failed = self.query._jsq.exception() if phase == "run" else None
            error = failed.get() if failed is not None and failed.isDefined() else java_error(exception)
            step["error"] = self.errors.of(error, phase, self.home)
        step["batches"] = self.batches() if phase == "run" else []
        step["num_input_rows"] = sum(batch.get("num_input_rows", 0) for batch in step["batches"])

    def batches(self):
        reports = [json.loads(report.json) for report in self.query.recentProgress]
        new = {report["batchId"]: report for report in reports if report not in self.seen}
        self.seen = reports
        captured = self.captured or [{"id": batch} for batch, report in new.items() if report["numInputRows"]]
        return [self.batch(dict(batch), new.get(batch["id"])) for batch in captured]

    def batch(self, batch, report):
        if report is None:
            return batch
        position = lambda offset: json.loads(offset) if isinstance(offset, str) else offset  # noqa: E731
        batch["num_input_rows"] = report["numInputRows"]
        batch["sources"] = [
            {
                "description": neutral(source["description"], self.home),
                "start": position(source["startOffset"]), "end": position(source["endOffset"]),
                "latest": position(source["latestOffset"]), "num_input_rows": source["numInputRows"],
                "metrics": source.get("metrics", {}),
            }
            for source in report["sources"]
        ]
        if self.write["format"] != "rows":
            batch["num_output_rows"] = report["sink"].get("numOutputRows", -1)
        return batch

    def close(self):
        if self.query:
            self.query.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def main(source, target):
    spark, cluster = start_spark(), Cluster()
    errors = Errors(spark._jvm)
    for path in sorted(pathlib.Path(source).glob("*.json")):
        recorded = pathlib.Path(target) / path.name
        if recorded.exists():
            continue
        case = json.loads(path.read_text())
        if case.get("topics"):
            cluster.create(case["topics"])
        run = Run(spark, cluster, errors, case)
        try:
            for step in case["steps"]:
                run.step(step)
        finally:
            run.close()
        case["captured_with"] = {"spark": "4.2.0", "kafka": "4.3.1"}
        recorded.write_text(json.dumps(case, ensure_ascii=False, indent=1) + "\n")
        print("recorded", path.stem, flush=True)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
