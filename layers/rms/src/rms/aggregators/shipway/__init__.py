"""Shipway: pushes forward orders (AWB and label in one call), cancels, tracks; returns only where switched on.

Nothing that is known of Shipway was confirmed by Shipway itself. Source: Shipway guide.

An account at Shipway, as configuration (`Account.options`, all text):

| option                | must | what                                                                                 |
| --------------------- | ---- | ------------------------------------------------------------------------------------ |
| `email`               | yes  | e-mail of the account; may stand in the secrets instead                              |
| `carrier_id`          | yes  | id of the carrier that gets forward orders, as in Shipway's list of carriers         |
| `carrier_name`        | no   | its name for clients; the push tells the id only                                     |
| `warehouse_id`        | yes  | id of the warehouse that parcels leave; Shipway takes no pick-up address, so each    |
|                       |      | warehouse is an account of its own                                                   |
| `return_warehouse_id` | no   | where undelivered parcels go; `warehouse_id` unless given                            |
| `store_code`          | no   | store shown in the panel                                                             |
| `returns`             | no   | `on`: book returns by Createreturns, which nobody has confirmed; `off` unless given  |
| `returns_refer_to`    | no   | how Shipway knows the forward order: by the `order` code (unless given) or the       |
|                       |      | `shipment` number                                                                    |
| `return_status`       | no   | `R` refund (unless given) or `E` exchange                                            |
| `return_reason_id`    | no   | Shipway's id of a reason; without it the reason goes as text                         |
| `feed_username`       | no   | user name in the hash of the older webhook feed; the e-mail unless given             |
| `base_url`            | no   | `https://app.shipway.com/api` unless given                                           |

`Account.secrets` holds `licence_key`. `check_account` says what is wrong with an account before it is saved;
`proves_sender` checks the hash that the older webhook feed carries, for the intake, which knows the account.
"""

from rms.aggregators.shipway.account import check_account
from rms.aggregators.shipway.adapter import Shipway
from rms.aggregators.shipway.webhook import proves_sender

__all__ = ["Shipway", "check_account", "proves_sender"]
