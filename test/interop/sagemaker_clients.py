"""Drives the service as its users do: with boto3 and with the AWS CLI.

Takes BURNISH_ENDPOINT (URL), BURNISH_AWS (the AWS CLI's program) and the AWS variables for credentials
from the environment, and the folder of a model as its argument. Prints one line for each check, and
ends with status 1 when one of them failed.
"""

import json
import os
import subprocess
import sys
import time

import boto3
import botocore.exceptions

URL = os.environ["BURNISH_ENDPOINT"]
AWS = os.environ.get("BURNISH_AWS", "aws")
MODEL = sys.argv[1]

failures = []


def check(name, condition, detail=""):
    print(("ok  " if condition else "FAIL"), name, detail if not condition else "")
    if not condition:
        failures.append(name)


def aws(*arguments):
    command = [AWS, "--endpoint-url", URL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def request(name, **change):
    return {
        "OptimizationJobName": name,
        "RoleArn": "arn:aws:iam::000000000000:role/burnish-execution",
        "ModelSource": {"S3": {"S3Uri": "s3://models/source"}},
        "DeploymentInstanceType": "ml.g5.xlarge",
        "OptimizationEnvironment": {"OPTION_QUANTIZE": "rtn", "OPTION_EVALUATE": "false"},
        "OptimizationConfigs": [{"ModelQuantizationConfig": {}}],
        "OutputConfig": {"S3OutputLocation": f"s3://models/{name}"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **change,
    }


def wait(client, name):
    while True:
        job = client.describe_optimization_job(OptimizationJobName=name)
        if job["OptimizationJobStatus"] in ("COMPLETED", "FAILED", "STOPPED"):
            return job
        time.sleep(0.1)


def error_of(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response
    return {"Error": {"Code": "none", "Message": ""}}


def with_boto3():
    client = boto3.client("sagemaker", endpoint_url=URL)
    arn = client.create_optimization_job(**request("by-boto3", Tags=[{"Key": "a", "Value": "b"}]))
    arn = arn["OptimizationJobArn"]
    check("boto3: the ARN names the job", arn.endswith(":optimization-job/by-boto3"), arn)
    job = wait(client, "by-boto3")
    check("boto3: the job completes", job["OptimizationJobStatus"] == "COMPLETED", job)
    check("boto3: times are times", job["OptimizationEndTime"] >= job["OptimizationStartTime"])
    tags = client.list_tags(ResourceArn=arn)["Tags"]
    check("boto3: tags come back", tags == [{"Key": "a", "Value": "b"}], tags)
    taken = error_of(client.create_optimization_job, **request("by-boto3"))
    check("boto3: ResourceInUse", taken["Error"]["Code"] == "ResourceInUse", taken)
    check("boto3: HTTP 400", taken["ResponseMetadata"]["HTTPStatusCode"] == 400, taken)
    check(
        "boto3: ResourceInUse is a modelled exception",
        raises(client.exceptions.ResourceInUse, client.create_optimization_job, **request("by-boto3")),
    )
    for index in range(7):
        client.create_optimization_job(**request(f"page-{index}", StoppingCondition={}))
    pages = client.get_paginator("list_optimization_jobs").paginate(
        NameContains="page-", SortBy="Name", PaginationConfig={"PageSize": 3}
    )
    names = [job["OptimizationJobName"] for page in pages for job in page["OptimizationJobSummaries"]]
    check("boto3: pages", names == [f"page-{index}" for index in range(7)], names)
    for name in names:
        wait(client, name)
        client.delete_optimization_job(OptimizationJobName=name)
    gone = error_of(client.describe_optimization_job, OptimizationJobName="page-0")
    check("boto3: ResourceNotFound", gone["Error"]["Code"] == "ResourceNotFound", gone)
    unsigned = boto3.client(
        "sagemaker", endpoint_url=URL, aws_access_key_id="AKIAAAAAAAAAAAAAAAAA", aws_secret_access_key="x"
    )
    refused = error_of(unsigned.list_optimization_jobs)
    check("boto3: an unknown key", refused["Error"]["Code"] == "UnrecognizedClientException", refused)


def raises(kind, call, **arguments):
    try:
        call(**arguments)
    except kind:
        return True
    return False


def with_aws_cli():
    uploaded = aws("s3", "cp", "--recursive", MODEL, "s3://models/from-cli")
    check("aws: s3 cp --recursive", uploaded.returncode == 0, uploaded.stderr)
    created = aws(
        "sagemaker", "create-optimization-job",
        "--optimization-job-name", "by-cli",
        "--role-arn", "arn:aws:iam::000000000000:role/burnish-execution",
        "--model-source", "S3={S3Uri=s3://models/from-cli}",
        "--deployment-instance-type", "ml.g5.xlarge",
        "--optimization-environment", "OPTION_QUANTIZE=fp8,OPTION_FP8_SCHEME=FP8_DYNAMIC,OPTION_EVALUATE=false",
        "--optimization-configs", "ModelQuantizationConfig={}",
        "--output-config", "S3OutputLocation=s3://models/by-cli",
        "--stopping-condition", "MaxRuntimeInSeconds=600",
        "--output", "json",
    )  # fmt: skip
    check("aws: create-optimization-job", created.returncode == 0, created.stderr)
    while True:
        described = aws(
            "sagemaker", "describe-optimization-job", "--optimization-job-name", "by-cli", "--output", "json"
        )
        job = json.loads(described.stdout)
        if job["OptimizationJobStatus"] not in ("STARTING", "INPROGRESS"):
            break
        time.sleep(0.5)
    check("aws: the job completes", job["OptimizationJobStatus"] == "COMPLETED", described.stdout)
    listed = aws("s3", "ls", "--recursive", "s3://models/by-cli/")
    check("aws: s3 ls shows the report", "optimization-report.json" in listed.stdout, listed.stdout)
    refused = aws(
        "sagemaker", "describe-optimization-job", "--optimization-job-name", "no-such-job"
    )
    check("aws: a missing job is an error", "ResourceNotFound" in refused.stderr, refused.stderr)


with_boto3()
with_aws_cli()
sys.exit(1 if failures else 0)
