from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from rms.platform.kms import KmsSecrets
from rms.platform.secrets import SecretUnavailableError

CONTEXT = {"client": "acme"}


class CountingKms:
    """Reverses what it is given; counts."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.decrypted = 0
        self.opened = 0

    def open(self) -> Any:
        self.opened += 1
        return self

    def encrypt(self, **request: Any) -> dict[str, bytes]:
        if self.fault:
            raise self.fault
        return {"CiphertextBlob": request["Plaintext"][::-1]}

    def decrypt(self, **request: Any) -> dict[str, bytes]:
        self.decrypted += 1
        if self.fault:
            raise self.fault
        return {"Plaintext": request["CiphertextBlob"][::-1]}


def test_the_client_is_opened_by_the_first_call_and_once() -> None:
    kms = CountingKms()
    secrets = KmsSecrets(kms.open, "key")
    assert kms.opened == 0

    secrets.unseal(secrets.seal("s3cr3t", CONTEXT), CONTEXT)

    assert kms.opened == 1


def test_a_text_is_unsealed_once_for_the_life_of_the_environment() -> None:
    kms = CountingKms()
    secrets = KmsSecrets(kms.open, "key")
    sealed = secrets.seal("s3cr3t", CONTEXT)

    assert {secrets.unseal(sealed, CONTEXT) for _ in range(5)} == {"s3cr3t"}
    assert kms.decrypted == 1

    secrets.unseal(sealed, {"client": "globex"})
    assert kms.decrypted == 2


def test_threads_share_the_memory_and_the_client() -> None:
    kms = CountingKms()
    secrets = KmsSecrets(kms.open, "key", cached=3)
    sealed = [secrets.seal(str(number), CONTEXT) for number in range(20)]

    with ThreadPoolExecutor(20) as threads:
        for _ in range(20):
            opened = threads.map(lambda text: secrets.unseal(text, CONTEXT), sealed)
            assert list(opened) == [str(number) for number in range(20)]

    assert kms.opened == 1
    assert len(secrets._unsealed) == 3


def test_memory_is_bounded_and_drops_what_was_not_used_for_longest() -> None:
    kms = CountingKms()
    secrets = KmsSecrets(kms.open, "key", cached=2)
    first, second, third = (secrets.seal(plain, CONTEXT) for plain in ("one", "two", "three"))
    for sealed in (first, second, first, third):
        secrets.unseal(sealed, CONTEXT)
    assert kms.decrypted == 3

    secrets.unseal(first, CONTEXT)
    assert kms.decrypted == 3
    secrets.unseal(second, CONTEXT)
    assert kms.decrypted == 4


@pytest.mark.parametrize(
    "fault",
    [
        ConnectTimeoutError(endpoint_url="https://kms"),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "client=acme"}}, "Decrypt"),
    ],
    ids=str,
)
def test_a_fault_names_its_code_and_never_the_context(fault: Exception) -> None:
    sealed = KmsSecrets(CountingKms().open, "key").seal("s3cr3t", CONTEXT)
    secrets = KmsSecrets(CountingKms(fault).open, "key")

    with pytest.raises(SecretUnavailableError) as failed:
        secrets.unseal(sealed, CONTEXT)
    assert "acme" not in str(failed.value)
    with pytest.raises(SecretUnavailableError):
        secrets.seal("s3cr3t", CONTEXT)


def test_a_fault_is_not_remembered() -> None:
    kms = CountingKms()
    secrets = KmsSecrets(kms.open, "key")
    sealed = secrets.seal("s3cr3t", CONTEXT)
    kms.fault = ConnectTimeoutError(endpoint_url="https://kms")
    with pytest.raises(SecretUnavailableError):
        secrets.unseal(sealed, CONTEXT)

    kms.fault = None

    assert secrets.unseal(sealed, CONTEXT) == "s3cr3t"
