"""The bucket of labels: nobody gets in but by a link, nothing stays longer than it must."""

from typing import Any

from tests.infrastructure.stack import PARAMETERS, of_type, transformed
from tests.template import resolved, template


def _bucket() -> Any:
    [bucket] = of_type("AWS::S3::Bucket").values()
    return bucket


def test_labels_are_encrypted_and_private() -> None:
    [encryption] = _bucket()["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert set(_bucket()["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(_bucket()["PublicAccessBlockConfiguration"]) == 4
    assert _bucket()["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_how_long_a_label_is_kept_is_a_parameter() -> None:
    [rule] = template()["Resources"]["Labels"]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert rule["Status"] == "Enabled"
    assert rule["ExpirationInDays"] == {"Ref": "LabelRetentionDays"}


def test_nobody_reaches_a_label_without_tls() -> None:
    [policy] = of_type("AWS::S3::BucketPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]

    assert policy["Bucket"] == {"Ref": "Labels"}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


def test_only_the_local_stage_does_without_that_policy() -> None:
    assert transformed()["LabelsPolicy"]["Condition"] == "IsNotLocal"
    for stage, applies in (("prod", True), ("local", False)):
        condition = {"Fn::If": ["IsNotLocal", True, False]}
        assert resolved(condition, template(), {**PARAMETERS, "Stage": stage}) is applies


def test_labels_outlive_the_stack() -> None:
    labels = transformed()["Labels"]

    assert (labels["DeletionPolicy"], labels["UpdateReplacePolicy"]) == ("Retain", "Retain")
