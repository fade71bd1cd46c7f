"""Shiprocket: one account gives access to many couriers, both ways. Source: Shiprocket guide.

An account at Shiprocket, as configuration (`Account.options`, all text):

| option            | must    | what                                                                        |
| ----------------- | ------- | --------------------------------------------------------------------------- |
| `email`           | yes     | of the API user, not the main login; may stand in the secrets instead       |
| `pickup_location` | forward | nickname of the warehouse that parcels leave from, unless `locations` says  |
| `locations`       | no      | `our code=nickname/number; …`: nickname and numeric location id by location |
| `channel_id`      | no      | Shiprocket's sales channel; its own default otherwise                       |
| `request_pickup`  | no      | `yes`: send the courier for forward parcels too; for returns it always is   |
| `return_reasons`  | no      | `the shop's words=number; …`: Shiprocket's reason for each of them          |
| `qc_checks`       | no      | checks at the door beside the picture: `brand_tag,used,sealtag,damaged`     |
| `base_url`        | no      | `https://apiv2.shiprocket.in/v1/external` unless given                      |

Creating an order wants a warehouse's nickname; its number is what exchanges want. The numbers of reasons stand in
`reasons`, and what a shop says in other words than Shiprocket's goes as "Other".

`Account.secrets` holds `password`, and `token` once somebody has logged in. `check_account` says what is wrong with an
account before it is saved, `webhook_url_problem` whether Shiprocket would take the URL that webhooks are to go to.
"""

from rms.aggregators.shiprocket.account import check_account, webhook_url_problem
from rms.aggregators.shiprocket.adapter import Shiprocket

__all__ = ["Shiprocket", "check_account", "webhook_url_problem"]
