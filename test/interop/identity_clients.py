"""Asks the service who one is, and what one may not do, with boto3 and the AWS CLI.

Users, keys, roles and policies are made with `burnish iam` beside the running service. Takes from the
environment: BURNISH_ENDPOINT (URL), BURNISH_CLI (a JSON list: the program and its first arguments),
BURNISH_DATA_DIR, BURNISH_AWS (the AWS CLI's program), and the administrator's credentials for boto3.
Prints a line for each check; exits with 1 if any of them failed.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["BURNISH_ENDPOINT"]
CLI = json.loads(os.environ["BURNISH_CLI"])
AWS = os.environ.get("BURNISH_AWS", "aws")
ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/burnish-execution"
FAILED = []


def check(name, holds, detail=""):
    print("ok  " if holds else "FAIL", name, "" if holds else detail)
    if not holds:
        FAILED.append(name)


def iam(*arguments):
    """Runs `burnish iam` and returns what it printed, read."""
    done = subprocess.run([*CLI, "iam", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"burnish iam {' '.join(arguments)}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout else None


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def new_user(name, document=None):
    """Returns the credentials of a new user, as boto3 takes them, once the service knows them."""
    iam("create-user", "--user-name", name)
    if document is not None:
        iam("put-user-policy", "--user-name", name, "--policy-name", "own", "--policy-document", document)
    key = iam("create-access-key", "--user-name", name)["AccessKey"]
    credentials = {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    until_known(credentials)
    return credentials


def until_known(credentials):
    while True:
        try:
            return client("sts", credentials).get_caller_identity()
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidClientTokenId":
                raise
            time.sleep(0.1)


def client(service, credentials, **config):
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 0}, **config),
        **credentials,
    )


def error_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]
    return {"Code": "", "Message": "nothing was refused"}


def aws(*arguments, profile=None, credentials=None):
    environment = {**os.environ}
    if credentials is not None:
        environment["AWS_ACCESS_KEY_ID"] = credentials["aws_access_key_id"]
        environment["AWS_SECRET_ACCESS_KEY"] = credentials["aws_secret_access_key"]
    options = [] if profile is None else ["--profile", profile]
    return subprocess.run(
        [AWS, "--endpoint-url", ENDPOINT, "--region", "us-east-1", *options, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def who_one_is():
    identity = boto3.client("sts", endpoint_url=ENDPOINT).get_caller_identity()
    check("boto3: the administrator is the root of its account", identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:root", identity)
    alice = new_user("alice")
    identity = client("sts", alice).get_caller_identity()
    check("boto3: a user is told its ARN", identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice", identity)
    told = aws("sts", "get-caller-identity", "--output", "json", credentials=alice)
    check("aws: sts get-caller-identity", json.loads(told.stdout or "{}").get("Arn", "").endswith(":user/alice"), told.stderr)
    url = client("sts", alice).generate_presigned_url("get_caller_identity", HttpMethod="GET")
    try:
        with urllib.request.urlopen(url) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        text = error.read().decode()
    check("a presigned GetCallerIdentity", f"<Arn>arn:aws:iam::{ACCOUNT}:user/alice</Arn>" in text, text)
    wrong = {**alice, "aws_secret_access_key": "guess"}
    error = error_of(client("sts", wrong).get_caller_identity)
    check("boto3: a wrong secret", error["Code"] == "SignatureDoesNotMatch", error)
    return alice


def what_one_may_not(alice):
    error = error_of(client("sagemaker", alice).list_optimization_jobs)
    check(
        "boto3: AccessDeniedException in AWS's words",
        error
        == {
            "Code": "AccessDeniedException",
            "Message": f"User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: sagemaker:ListOptimizationJobs on resource: * because no identity-based policy allows the sagemaker:ListOptimizationJobs action",
        },
        error,
    )
    error = error_of(client("s3", alice).get_object, Bucket="models", Key="x")
    check("boto3: S3's AccessDenied", error["Code"] == "AccessDenied" and "s3:GetObject" in error["Message"], error)
    denied = aws("sagemaker", "list-optimization-jobs", credentials=alice)
    check("aws: a denial", denied.returncode != 0 and "(AccessDeniedException)" in denied.stderr, denied.stderr)
    denied = aws("s3", "ls", "s3://models", credentials=alice)
    check("aws: a denial of S3", "(AccessDenied)" in denied.stderr, denied.stderr)
    unsigned = aws("--no-sign-request", "sagemaker", "list-optimization-jobs")
    check("aws: --no-sign-request is refused", "(MissingAuthenticationToken" in unsigned.stderr, unsigned.stderr)
    unsigned = aws("--no-sign-request", "s3", "ls", "s3://models")
    check("aws: --no-sign-request is refused by S3", "(AccessDenied)" in unsigned.stderr, unsigned.stderr)
    iam("put-user-policy", "--user-name", "alice", "--policy-name", "own", "--policy-document",
        policy(allow("*"), {"Effect": "Deny", "Action": "sagemaker:List*", "Resource": "*"}))  # fmt: skip
    deadline = time.time() + 30
    while time.time() < deadline:
        error = error_of(client("sagemaker", alice).list_optimization_jobs)
        if "explicit deny" in error["Message"]:
            break
        time.sleep(0.2)
    check("boto3: an explicit deny", error["Message"].endswith("with an explicit deny in an identity-based policy"), error)


def acting_as_a_role():
    carol = new_user("carol", policy(allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/team")))
    iam("create-role", "--role-name", "team", "--assume-role-policy-document",
        policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}))  # fmt: skip
    iam("put-role-policy", "--role-name", "team", "--policy-name", "own", "--policy-document",
        policy(allow("sagemaker:List*"), allow(["s3:PutObject", "s3:GetObject", "s3:ListBucket"], "arn:aws:s3:::*")))  # fmt: skip
    new_user("after-team")
    sts = client("sts", carol)
    role = f"arn:aws:iam::{ACCOUNT}:role/team"
    given = sts.assume_role(RoleArn=role, RoleSessionName="carol", DurationSeconds=900)
    session = {
        "aws_access_key_id": given["Credentials"]["AccessKeyId"],
        "aws_secret_access_key": given["Credentials"]["SecretAccessKey"],
        "aws_session_token": given["Credentials"]["SessionToken"],
    }
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/team/carol"
    check("boto3: assume_role", given["AssumedRoleUser"]["Arn"] == arn, given)
    check("boto3: a session is the role's", client("sts", session).get_caller_identity()["Arn"] == arn)
    check("boto3: a session may what its role may", "OptimizationJobSummaries" in client("sagemaker", session).list_optimization_jobs())
    error = error_of(client("sagemaker", session).describe_optimization_job, OptimizationJobName="x")
    check("boto3: and no more", arn in error["Message"], error)
    client("s3", session).put_object(Bucket="models", Key="by-session", Body=b"streamed with a token")
    read = client("s3", session).get_object(Bucket="models", Key="by-session")["Body"].read()
    check("boto3: objects with a session token", read == b"streamed with a token", read)
    url = client("s3", session, signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": "models", "Key": "by-session"}
    )
    with urllib.request.urlopen(url) as answer:
        check("a presigned URL with a session token", answer.read() == read)
    error = error_of(sts.assume_role, RoleArn=ROLE, RoleSessionName="carol")
    check("boto3: a role that trusts others", error["Code"] == "AccessDenied", error)
    error = error_of(sts.get_session_token)
    check("boto3: what STS has not", error["Code"] == "InvalidAction", error)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "config"), "w") as file:
            file.write(f"[profile team]\nrole_arn = {role}\nsource_profile = carol\nrole_session_name = by-profile\nregion = us-east-1\n")
            file.write(f"endpoint_url = {ENDPOINT}\n[profile carol]\nendpoint_url = {ENDPOINT}\nregion = us-east-1\n")
        with open(os.path.join(folder, "credentials"), "w") as file:
            file.write(f"[carol]\naws_access_key_id = {carol['aws_access_key_id']}\naws_secret_access_key = {carol['aws_secret_access_key']}\n")
        os.environ["AWS_CONFIG_FILE"] = os.path.join(folder, "config")
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.path.join(folder, "credentials")
        told = aws("sts", "get-caller-identity", "--output", "json", profile="team")
        check("aws: a profile with role_arn", "assumed-role/team/by-profile" in told.stdout, told.stderr)


what_one_may_not(who_one_is())
acting_as_a_role()
sys.exit(1 if FAILED else 0)
