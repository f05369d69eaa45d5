"""Drives the S3 front with boto3 and the AWS CLI, as their current releases send requests.

Takes from the environment: BURNISH_ENDPOINT (URL), AWS_SHARED_CREDENTIALS_FILE and
AWS_CONFIG_FILE (or any other credentials that boto3 finds), and optionally BURNISH_AWS (the AWS
CLI's program, `aws` if not given). With the package awscrt installed, CRC32C and CRC64NVME are
among the checksums. Makes a bucket of its own and removes it. Prints one JSON object
with a list of checks; exits with 1 if any of them failed.
"""

import base64
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
import urllib.error
import urllib.request
import uuid
import zlib

import boto3
import botocore
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["BURNISH_ENDPOINT"]
AWS = os.environ.get("BURNISH_AWS", "aws")
BUCKET = f"interop-{uuid.uuid4().hex[:12]}"
MIB = 1024 * 1024

# The other two are computed by an optional native package of the clients.
ALGORITHMS = ["CRC32", "SHA1", "SHA256"]
if importlib.util.find_spec("awscrt") is not None:
    ALGORITHMS += ["CRC32C", "CRC64NVME"]

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def client(**config):
    return boto3.client("s3", endpoint_url=ENDPOINT, config=Config(**config))


def aws(*arguments, expect=0):
    """Runs the AWS CLI and returns its standard output."""
    done = subprocess.run(
        [AWS, "--endpoint-url", ENDPOINT, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expect, f"aws {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def body_of(s3, key, **arguments):
    return s3.get_object(Bucket=BUCKET, Key=key, **arguments)["Body"].read()


def code_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def make_tree(folder):
    """A folder like a checkpoint: small files, a nested one, an empty one, a large one."""
    files = {
        "config.json": b'{"model_type": "test"}',
        "empty.txt": b"",
        "nested/deeper/a name with spaces & ü.txt": "ü".encode(),
        "model.safetensors": os.urandom(20 * MIB + 12345),
    }
    for name, content in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
    return files


def read_tree(folder):
    files = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, folder)] = file.read()
    return files


@check
def cli_copies_a_folder_there_and_back(folder):
    source, back = os.path.join(folder, "source"), os.path.join(folder, "back")
    files = make_tree(source)
    aws("s3", "cp", "--recursive", source, f"s3://{BUCKET}/copied/")
    listed = aws("s3", "ls", "--recursive", f"s3://{BUCKET}/copied/")
    assert len(listed.splitlines()) == len(files), listed
    aws("s3", "cp", "--recursive", f"s3://{BUCKET}/copied/", back)
    assert read_tree(back) == files


@check
def cli_sync_does_nothing_the_second_time(folder):
    source, back = os.path.join(folder, "source"), os.path.join(folder, "back")
    files = make_tree(source)
    assert aws("s3", "sync", source, f"s3://{BUCKET}/synced").count("upload:") == len(files)
    assert aws("s3", "sync", source, f"s3://{BUCKET}/synced") == ""
    aws("s3", "sync", f"s3://{BUCKET}/synced", back)
    assert aws("s3", "sync", f"s3://{BUCKET}/synced", back) == ""
    assert read_tree(back) == files
    os.remove(os.path.join(source, "config.json"))
    assert "delete:" in aws("s3", "sync", "--delete", source, f"s3://{BUCKET}/synced")
    aws("s3", "sync", f"s3://{BUCKET}/synced", f"s3://{BUCKET}/synced-again")
    assert aws("s3", "sync", f"s3://{BUCKET}/synced", f"s3://{BUCKET}/synced-again") == ""


@check
def cli_lists_moves_and_removes(folder):
    path = os.path.join(folder, "file")
    with open(path, "wb") as file:
        file.write(os.urandom(9 * MIB))
    aws("s3", "cp", path, f"s3://{BUCKET}/cli/a")
    assert "PRE cli/" in aws("s3", "ls", f"s3://{BUCKET}/")
    aws("s3", "mv", f"s3://{BUCKET}/cli/a", f"s3://{BUCKET}/cli/b")
    assert aws("s3", "ls", f"s3://{BUCKET}/cli/").endswith(" b\n")
    aws("s3", "cp", f"s3://{BUCKET}/cli/b", f"s3://{BUCKET}/cli/c")
    aws("s3", "rm", "--recursive", f"s3://{BUCKET}/cli/")
    aws("s3", "ls", f"s3://{BUCKET}/cli/", expect=1)
    name = f"{BUCKET}-cli"
    aws("s3", "mb", f"s3://{name}")
    assert name in aws("s3", "ls")
    aws("s3", "cp", path, f"s3://{name}/x")
    aws("s3", "rb", "--force", f"s3://{name}")
    assert name not in aws("s3", "ls")


@check
def cli_pipes(_folder):
    done = subprocess.run(
        [AWS, "--endpoint-url", ENDPOINT, "s3", "cp", "-", f"s3://{BUCKET}/piped"],
        input=b"from a pipe",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert aws("s3", "cp", f"s3://{BUCKET}/piped", "-") == "from a pipe"


@check
def cli_takes_every_checksum(folder):
    path = os.path.join(folder, "file")
    with open(path, "wb") as file:
        file.write(os.urandom(17 * MIB))
    for algorithm in ALGORITHMS:
        key = f"checksum/{algorithm}"
        aws("s3", "cp", "--checksum-algorithm", algorithm, path, f"s3://{BUCKET}/{key}")
        arguments = ["--bucket", BUCKET, "--key", key, "--checksum-mode", "ENABLED"]
        head = json.loads(aws("s3api", "head-object", *arguments))
        assert head[f"Checksum{algorithm}"], head
        target = os.path.join(folder, "back")
        arguments = ["--checksum-mode", "ENABLED"]
        aws("s3", "cp", *arguments, f"s3://{BUCKET}/{key}", target)
        with open(path, "rb") as sent, open(target, "rb") as got:
            assert sent.read() == got.read()


@check
def boto3_sends_multipart_and_reads_ranges(folder):
    s3 = client()
    path, back = os.path.join(folder, "file"), os.path.join(folder, "back")
    content = os.urandom(33 * MIB + 7)
    with open(path, "wb") as file:
        file.write(content)
    s3.upload_file(path, BUCKET, "multi/file", ExtraArgs={"Metadata": {"a": "b"}})
    head = s3.head_object(Bucket=BUCKET, Key="multi/file")
    assert head["ETag"].endswith('-5"') and head["Metadata"] == {"a": "b"}, head
    s3.download_file(BUCKET, "multi/file", back)
    with open(back, "rb") as file:
        assert file.read() == content
    part = body_of(s3, "multi/file", Range="bytes=1000-1999")
    assert part == content[1000:2000]
    assert body_of(s3, "multi/file", Range="bytes=-7") == content[-7:]
    small = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    source = {"Bucket": BUCKET, "Key": "multi/file"}
    s3.copy(source, BUCKET, "multi/copy", Config=small)
    assert body_of(s3, "multi/copy") == content


@check
def boto3_sends_every_checksum(_folder):
    content = os.urandom(300_000)
    known = {
        "CRC32": zlib.crc32(content).to_bytes(4, "big"),
        "SHA1": hashlib.sha1(content).digest(),
        "SHA256": hashlib.sha256(content).digest(),
    }
    s3 = client()
    for algorithm in ALGORITHMS:
        key = f"boto3/{algorithm}"
        sent = s3.put_object(Bucket=BUCKET, Key=key, Body=content, ChecksumAlgorithm=algorithm)
        head = s3.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        name = f"Checksum{algorithm}"
        assert sent[name] == head[name], (sent, head)
        if algorithm in known:
            assert head[name] == base64.b64encode(known[algorithm]).decode(), head
        assert body_of(s3, key, ChecksumMode="ENABLED") == content


@check
def boto3_sends_with_and_without_checksums_and_payload_signing(_folder):
    content = os.urandom(100_000)
    for checksums in ["when_supported", "when_required"]:
        for signing in [None, True, False]:
            s3 = client(
                request_checksum_calculation=checksums,
                response_checksum_validation=checksums,
                s3={} if signing is None else {"payload_signing_enabled": signing},
            )
            key = f"modes/{checksums}-{signing}"
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)
            assert body_of(s3, key) == content
    digest = base64.b64encode(hashlib.md5(content).digest()).decode()
    old = client(request_checksum_calculation="when_required")
    old.put_object(Bucket=BUCKET, Key="modes/md5", Body=content, ContentMD5=digest)
    wrong = base64.b64encode(b"0" * 16).decode()
    refused = code_of(old.put_object, Bucket=BUCKET, Key="x", Body=content, ContentMD5=wrong)
    assert refused == "BadDigest", refused


@check
def boto3_presigns(_folder):
    s3 = client(signature_version="s3v4")
    arguments = {"Bucket": BUCKET, "Key": "presigned/ü file"}
    url = s3.generate_presigned_url("put_object", Params=arguments, ExpiresIn=60)
    request = urllib.request.Request(url, data=b"by URL", method="PUT")
    with urllib.request.urlopen(request) as response:
        assert response.status == 200
    url = s3.generate_presigned_url("get_object", Params=arguments, ExpiresIn=60)
    with urllib.request.urlopen(url) as response:
        assert response.read() == b"by URL"
    try:
        urllib.request.urlopen(url.replace("presigned", "other"))
        raise AssertionError("a changed URL was accepted")
    except urllib.error.HTTPError as error:
        assert error.code == 403, error


@check
def boto3_lists_and_deletes(_folder):
    s3 = client()
    keys = [f"list/{name}" for name in ["a", "b/1", "b/2", "c d", "ü&<"]]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 2}
    )
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
    pages = s3.get_paginator("list_objects").paginate(
        Bucket=BUCKET, Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 1}
    )
    found = []
    for page in pages:
        found += [entry["Key"] for entry in page.get("Contents", [])]
        found += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    assert found == ["list/a", "list/b/", "list/c d", "list/ü&<"], found
    objects = {"Objects": [{"Key": key} for key in keys]}
    deleted = s3.delete_objects(Bucket=BUCKET, Delete=objects)
    assert sorted(entry["Key"] for entry in deleted["Deleted"]) == sorted(keys), deleted
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="list/")["KeyCount"] == 0


@check
def boto3_uses_conditions_and_reads_errors(_folder):
    s3 = client()
    etag = s3.put_object(Bucket=BUCKET, Key="once", Body=b"1", IfNoneMatch="*")["ETag"]
    put = {"Bucket": BUCKET, "Key": "once", "Body": b"2"}
    assert code_of(s3.put_object, **put, IfNoneMatch="*") == "PreconditionFailed"
    assert code_of(s3.get_object, Bucket=BUCKET, Key="once", IfNoneMatch=etag) == "304"
    assert code_of(s3.get_object, Bucket=BUCKET, Key="none") == "NoSuchKey"
    assert code_of(s3.get_object, Bucket=f"{BUCKET}-none", Key="none") == "NoSuchBucket"
    assert code_of(s3.head_object, Bucket=BUCKET, Key="none") == "404"
    assert code_of(s3.put_object, **put, ServerSideEncryption="AES256") == "NotImplemented"
    assert code_of(s3.put_object, **{**put, "Key": "a/../../b"}) == "InvalidArgument"


@check
def boto3_takes_an_upload_apart(_folder):
    s3 = client()
    upload = {"Bucket": BUCKET, "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload, ChecksumAlgorithm="SHA256")[
        "UploadId"
    ]
    parts = []
    for number, size in [(2, 100), (1, 5 * MIB)]:
        sent = s3.upload_part(
            **upload, PartNumber=number, Body=os.urandom(size), ChecksumAlgorithm="SHA256"
        )
        kept = {name: sent[name] for name in ["ETag", "ChecksumSHA256"]}
        parts.append({"PartNumber": number, **kept})
    listed = s3.list_parts(**upload)
    assert [part["Size"] for part in listed["Parts"]] == [5 * MIB, 100], listed
    uploads = s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert [entry["Key"] for entry in uploads] == ["parts"], uploads
    ordered = {"Parts": sorted(parts, key=lambda part: part["PartNumber"])}
    done = s3.complete_multipart_upload(**upload, MultipartUpload=ordered)
    assert done["ChecksumSHA256"].endswith("-2"), done
    assert len(body_of(s3, "parts", ChecksumMode="ENABLED")) == 5 * MIB + 100
    aborted = {"Bucket": BUCKET, "Key": "aborted"}
    aborted["UploadId"] = s3.create_multipart_upload(**aborted)["UploadId"]
    s3.abort_multipart_upload(**aborted)
    assert code_of(s3.list_parts, **aborted) == "NoSuchUpload"


def main():
    admin = client()
    admin.create_bucket(Bucket=BUCKET)
    results = []
    try:
        for function in CHECKS:
            folder = tempfile.mkdtemp(prefix="burnish-interop-")
            try:
                function(folder)
                results.append({"check": function.__name__, "passed": True})
            except Exception:
                results.append(
                    {
                        "check": function.__name__,
                        "passed": False,
                        "error": traceback.format_exc(),
                    }
                )
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        bucket = boto3.resource("s3", endpoint_url=ENDPOINT).Bucket(BUCKET)
        bucket.objects.all().delete()
        bucket.delete()
    versions = {"boto3": boto3.__version__, "botocore": botocore.__version__}
    report = {"clients": versions, "checksum_algorithms": ALGORITHMS, "checks": results}
    json.dump(report, sys.stdout, indent=2)
    print()
    return 0 if all(result["passed"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
