"""Pure: how a bank transfer names what it pays for, and the QR code a banking app reads (BR-40)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import segno


def transfer_reference(offer_code: str, household_number: int, instalment: int) -> str:
    """What to write on a transfer: `AMAP-LEG26-H017-03` (BR-40). Unique when offer codes are."""
    return f"AMAP-{offer_code.upper()}-H{household_number:03}-{instalment:02}"


def epc_payload(*, payee: str, iban: str, amount_cents: int, reference: str, bic: str = "") -> str:
    """The text of an EPC QR code for a transfer of `amount_cents` to the farm (EPC069-12 version 2; BR-40).

    `iban` is one that `amap.ibans.normalise` answered. The payee is cut after 70 signs, the reference after 140,
    earlier where accents would make more than the 331 bytes of version 13. Raises ValueError outside 0.01 …
    999,999,999.99 euros.
    """
    if not 1 <= amount_cents <= 99_999_999_999:
        raise ValueError(f"no transfer of {amount_cents} cents")
    return "\n".join(
        [
            "BCD",
            "002",
            "1",  # UTF-8
            "SCT",
            bic,
            _one_line(payee, 70, 110),
            iban,
            f"EUR{amount_cents // 100}.{amount_cents % 100:02}",
            "",  # purpose
            "",  # structured reference: ours is text
            _one_line(reference, 140, 140),
        ]
    )


def _one_line(text: str, signs: int, octets: int) -> str:
    return " ".join(text.split())[:signs].encode()[:octets].decode(errors="ignore").rstrip()


def qr_code(payload: str) -> "segno.QRCode":
    """The QR code of an EPC payload: error correction M, in bytes, version 13 at most."""
    import segno  # here, because it takes 70 ms that few pages need

    return segno.make_qr(payload, error="m", mode="byte", encoding="utf-8", boost_error=False)


def qr_svg(payload: str, *, title: str) -> str:
    """The QR code as an inline SVG without size: the style sheet gives it one. `title` is its text alternative."""
    return qr_code(payload).svg_inline(light="#fff", omitsize=True, title=title, svgclass="qr", lineclass=None)
