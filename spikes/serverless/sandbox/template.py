"""What a run's stack holds: a role, a log, a bucket of packages, and the functions."""

from __future__ import annotations

from typing import Any

from spikes.serverless.sandbox.upload import Upload

BUCKET = "Packages"
LOG = "Log"
ROLE = "FunctionRole"

LOG_RETENTION_DAYS = 1
PACKAGE_LIFE_DAYS = 1


def foundation() -> dict[str, Any]:
    """Return what the functions stand on; none of it costs anything while it is only there."""
    return {BUCKET: _bucket(), LOG: _log(), ROLE: _role()}


def function(upload: Upload, snapstart: bool, memory_mb: int, timeout_s: int) -> dict[str, Any]:
    """Return one function, its code from the run's bucket, where it must be by then.

    Its log has the text format, for the REPORT line is read from it.
    """
    properties: dict[str, Any] = {
        "Runtime": upload.runtime,
        "Handler": upload.handler,
        "Architectures": [upload.architecture],
        "MemorySize": memory_mb,
        "Timeout": timeout_s,
        "Role": {"Fn::GetAtt": [ROLE, "Arn"]},
        "Code": {"S3Bucket": {"Ref": BUCKET}, "S3Key": upload.key()},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": {"Ref": LOG}},
        "Environment": {"Variables": dict(upload.environ)},
    }
    if snapstart:
        properties["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def _bucket() -> dict[str, Any]:
    rule = {"Id": "expire", "Status": "Enabled", "ExpirationInDays": PACKAGE_LIFE_DAYS}
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "PublicAccessBlockConfiguration": dict.fromkeys(closed, True),
            "LifecycleConfiguration": {"Rules": [rule]},
        },
    }


def _log() -> dict[str, Any]:
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": LOG_RETENTION_DAYS}}


def _role() -> dict[str, Any]:
    """A role that may write to the run's log and nothing else."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    write = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": {"Fn::GetAtt": [LOG, "Arn"]},
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {
                    "PolicyName": "log",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": [write]},
                }
            ],
        },
    }
