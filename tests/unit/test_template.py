from tests.template import (
    QUEUE_IDS,
    parsed,
    queue_definitions,
    resolved,
    table_definition,
    template,
    ttl_attribute,
)

SMALL = parsed("""
Parameters:
  Stage: { Type: String, Default: prod }
  Days: { Type: Number, Default: 3 }
Conditions:
  IsLocal: !Equals [!Ref Stage, local]
  IsRemote: !Not [!Condition IsLocal]
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: !If [IsLocal, PAY_PER_REQUEST, PROVISIONED]
      StreamSpecification: !If [IsRemote, { StreamViewType: KEYS_ONLY }, !Ref AWS::NoValue]
      AttributeDefinitions: [{ AttributeName: PK, AttributeType: S }]
      KeySchema: [{ AttributeName: PK, KeyType: HASH }]
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 90
      SqsManagedSseEnabled: true
      RedrivePolicy: { deadLetterTargetArn: !GetAtt WorkDead.Arn, maxReceiveCount: !Ref Days }
  WorkDead:
    Type: AWS::SQS::Queue
""")


def test_a_table_is_read_with_its_parameters_and_conditions_put_in() -> None:
    assert table_definition("orders", "Orders", SMALL) == {
        "TableName": "orders",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
    }


def test_no_value_leaves_the_property_out() -> None:
    properties = SMALL["Resources"]["Orders"]["Properties"]

    assert "StreamSpecification" not in resolved(properties, SMALL, {"Stage": "local"})
    assert resolved(properties, SMALL, {"Stage": "prod"})["StreamSpecification"] == {"StreamViewType": "KEYS_ONLY"}


def test_queues_are_read_with_their_dead_letter_queues() -> None:
    queues = queue_definitions(SMALL)

    assert queues["Work"].attributes == {"VisibilityTimeout": "90", "SqsManagedSseEnabled": "true"}
    assert (queues["Work"].dead_letter_id, queues["Work"].max_receives) == ("WorkDead", 3)
    assert (queues["WorkDead"].dead_letter_id, queues["WorkDead"].attributes) == (None, {})


def test_the_template_has_what_the_ports_need() -> None:
    table = table_definition("rms")
    queues = queue_definitions()

    assert [key["AttributeName"] for key in table["KeySchema"]] == ["PK", "SK"]
    assert {index["IndexName"]: index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]} == {
        "due": "KEYS_ONLY",
        "listing": "KEYS_ONLY",
    }
    assert ttl_attribute() == "expires_at"
    assert set(QUEUE_IDS.values()) <= set(queues)
    assert all(queues[logical_id].dead_letter_id in queues for logical_id in QUEUE_IDS.values())
    assert template()["Resources"]
