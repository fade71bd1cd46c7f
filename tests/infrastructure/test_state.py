"""The table and the key: what must never be lost."""

from typing import Any

from tests.infrastructure.stack import of_type, transformed


def _table() -> Any:
    [table] = of_type("AWS::DynamoDB::Table").values()
    return table


def test_there_is_one_table_paid_by_use_and_hard_to_lose() -> None:
    table = _table()

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert table["SSESpecification"] == {"SSEEnabled": True}


def test_what_may_be_forgotten_says_so_itself() -> None:
    assert _table()["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_two_indexes_hold_keys_only_because_every_write_pays_for_them() -> None:
    indexes = {index["IndexName"]: index for index in _table()["GlobalSecondaryIndexes"]}

    assert set(indexes) == {"due", "listing"}
    assert {index["Projection"]["ProjectionType"] for index in indexes.values()} == {"KEYS_ONLY"}
    assert [key["AttributeName"] for key in indexes["due"]["KeySchema"]] == ["due_shard", "due_at"]
    assert [key["AttributeName"] for key in indexes["listing"]["KeySchema"]] == ["listing_pk", "listing_sk"]


def test_table_and_key_outlive_the_stack() -> None:
    for logical_id in ("State", "SecretsKey"):
        resource = transformed()[logical_id]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_key_is_renewed_every_year() -> None:
    [key] = of_type("AWS::KMS::Key").values()

    assert key["EnableKeyRotation"] is True
