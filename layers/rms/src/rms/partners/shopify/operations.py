"""The operations that RMS sends to Shopify's GraphQL Admin API, in the words of the list that was checked.

The list, all of it, is `events/shopify/operations.graphql`: valid in the versions 2025-10 to 2026-10, and without any
field that is deprecated. A test holds these to it. Source: Shopify guide, section 2.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its name in the text, the field of `data` that answers it, and the text."""

    name: str
    field: str
    text: str


ORDER: Final = Operation(
    "OrderForRms",
    "order",
    """
query OrderForRms($id: ID!) {
  order(id: $id) {
    id
    legacyResourceId
    name
    tags
    cancelledAt
    cancelReason
    displayFulfillmentStatus
    returnStatus
    updatedAt
    customAttributes {
      key
      value
    }
    lineItems(first: 100) {
      nodes {
        id
        sku
        quantity
        currentQuantity
        unfulfilledQuantity
      }
    }
    fulfillmentOrders(first: 20) {
      nodes {
        id
        status
        supportedActions {
          action
        }
        fulfillmentHolds {
          id
          handle
          reason
          reasonNotes
          heldByRequestingApp
        }
        lineItems(first: 50) {
          nodes {
            id
            remainingQuantity
            lineItem {
              id
              sku
            }
          }
        }
      }
    }
    returns(first: 20) {
      nodes {
        id
        name
        status
        returnLineItems(first: 50) {
          nodes {
            id
            quantity
          }
        }
        exchangeLineItems(first: 50) {
          nodes {
            id
            quantity
          }
        }
        reverseFulfillmentOrders(first: 5) {
          nodes {
            id
            status
            lineItems(first: 50) {
              nodes {
                id
                totalQuantity
              }
            }
            reverseDeliveries(first: 5) {
              nodes {
                id
              }
            }
          }
        }
      }
    }
  }
}
""",
)

ADD_TAGS: Final = Operation(
    "TagsAdd",
    "tagsAdd",
    """
mutation TagsAdd($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) {
    node {
      id
    }
    userErrors {
      field
      message
    }
  }
}
""",
)

REMOVE_TAGS: Final = Operation(
    "TagsRemove",
    "tagsRemove",
    """
mutation TagsRemove($id: ID!, $tags: [String!]!) {
  tagsRemove(id: $id, tags: $tags) {
    node {
      id
    }
    userErrors {
      field
      message
    }
  }
}
""",
)

HOLD: Final = Operation(
    "Hold",
    "fulfillmentOrderHold",
    """
mutation Hold($id: ID!, $h: FulfillmentOrderHoldInput!) {
  fulfillmentOrderHold(id: $id, fulfillmentHold: $h) {
    fulfillmentHold {
      id
      handle
      reason
    }
    fulfillmentOrder {
      id
      status
    }
    remainingFulfillmentOrder {
      id
    }
    userErrors {
      code
      field
      message
    }
  }
}
""",
)

RELEASE: Final = Operation(
    "Release",
    "fulfillmentOrderReleaseHold",
    """
mutation Release($id: ID!, $holdIds: [ID!]) {
  fulfillmentOrderReleaseHold(id: $id, holdIds: $holdIds) {
    fulfillmentOrder {
      id
      status
    }
    userErrors {
      code
      field
      message
    }
  }
}
""",
)

CANCEL: Final = Operation(
    "Cancel",
    "orderCancel",
    """
mutation Cancel(
  $orderId: ID!
  $reason: OrderCancelReason!
  $restock: Boolean!
  $refundMethod: OrderCancelRefundMethodInput
  $staffNote: String
) {
  orderCancel(
    orderId: $orderId
    reason: $reason
    restock: $restock
    refundMethod: $refundMethod
    notifyCustomer: false
    staffNote: $staffNote
  ) {
    job {
      id
      done
    }
    orderCancelUserErrors {
      code
      field
      message
    }
  }
}
""",
)

EDIT_BEGIN: Final = Operation(
    "EditBegin",
    "orderEditBegin",
    """
mutation EditBegin($id: ID!) {
  orderEditBegin(id: $id) {
    calculatedOrder {
      id
      lineItems(first: 100) {
        nodes {
          id
          quantity
          variant {
            id
            sku
          }
        }
      }
    }
    userErrors {
      field
      message
    }
  }
}
""",
)

EDIT_SET_QUANTITY: Final = Operation(
    "EditSetQty",
    "orderEditSetQuantity",
    """
mutation EditSetQty($id: ID!, $lineItemId: ID!, $quantity: Int!, $restock: Boolean) {
  orderEditSetQuantity(
    id: $id
    lineItemId: $lineItemId
    quantity: $quantity
    restock: $restock
  ) {
    calculatedLineItem {
      id
      quantity
    }
    userErrors {
      field
      message
    }
  }
}
""",
)

EDIT_COMMIT: Final = Operation(
    "EditCommit",
    "orderEditCommit",
    """
mutation EditCommit($id: ID!, $staffNote: String) {
  orderEditCommit(id: $id, notifyCustomer: false, staffNote: $staffNote) {
    order {
      id
      tags
    }
    userErrors {
      field
      message
    }
  }
}
""",
)

SUBSCRIBE: Final = Operation(
    "WebhookCreate",
    "webhookSubscriptionCreate",
    """
mutation WebhookCreate($topic: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $w) {
    webhookSubscription {
      id
      topic
      uri
    }
    userErrors {
      field
      message
    }
  }
}
""",
)

OPERATIONS: Final = (
    ORDER,
    ADD_TAGS,
    REMOVE_TAGS,
    HOLD,
    RELEASE,
    CANCEL,
    EDIT_BEGIN,
    EDIT_SET_QUANTITY,
    EDIT_COMMIT,
    SUBSCRIBE,
)
"""All of them."""
