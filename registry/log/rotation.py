"""Replacing a key of the log without losing anybody who trusts the old one.

``begin`` makes a successor, and from the next start of each process on both keys sign; who knows only one of them keeps
verifying. When everybody has heard of the new key, ``retire`` lets it take the old one's place: the old private key is
destroyed, its public half stays listed for what was signed in its time. Each step is durable, and finished by the same
command if it is cut short. Rotating changes no byte that was signed before.
"""

from pathlib import Path

from registry.errors import MalformedLog, StartRefused
from registry.log.checkpoint import open_checkpoint
from registry.log.durable import exclusively, remove_durably, write_durably
from registry.log.keys import Purpose, key_file, load, retired_file, successor_file
from registry.log.note import Signer, Verifier


def begin(directory: Path, purpose: Purpose) -> Verifier:
    """Make the successor of a key of the log in this data directory; its public half.

    StartRefused while an earlier rotation of that key is under way, and where there is no log.
    """
    with exclusively(directory):
        keys = load(directory)
        if purpose in keys.successors:
            vkey = keys.successors[purpose].verifier.vkey()
            raise StartRefused(
                f"La clave «{purpose}» ya tiene sucesora: {vkey}. Retire antes la anterior con «keys rotate --key "
                f"{purpose} --retire».",
                f"The key “{purpose}” has a successor already: {vkey}. First retire the old one with “keys rotate "
                f"--key {purpose} --retire”.",
            )
        signer = Signer.generate(keys.signers(purpose)[0].name)
        write_durably(successor_file(directory, purpose), signer.serialise().encode())
    return signer.verifier


def retire(directory: Path, purpose: Purpose, published: str | None) -> Verifier:
    """Let the successor sign alone; the public half of the key that does so from now on.

    ``published`` is the checkpoint that readers see. The log key is only retired once the successor has signed that:
    before, no process may know of it yet, and the publisher would not recognise its own last checkpoint. StartRefused
    then, and where there is no successor.
    """
    with exclusively(directory):
        keys = load(directory)
        successor, current = keys.successors.get(purpose), keys.signers(purpose)[0]
        if successor is None:
            if not successor_file(directory, purpose).exists():
                raise StartRefused(
                    f"La clave «{purpose}» no tiene sucesora. Hágala primero con «keys rotate --key {purpose}».",
                    f"The key “{purpose}” has no successor. First make one with “keys rotate --key {purpose}”.",
                )
            # Cut short after the last step but one: it has taken the old one's place already.
            remove_durably(successor_file(directory, purpose))
            return current.verifier
        if purpose is Purpose.LOG and published is not None:
            _must_have_signed(successor.verifier, published)
        retired = dict.fromkeys((*keys.retired.get(purpose, ()), current.verifier.vkey()))
        write_durably(retired_file(directory, purpose), "".join(f"{vkey}\n" for vkey in retired).encode())
        write_durably(key_file(directory, purpose), successor.serialise().encode())
        remove_durably(successor_file(directory, purpose))
    return successor.verifier


def _must_have_signed(successor: Verifier, published: str) -> None:
    try:
        open_checkpoint(published, successor.name, [successor])
    except MalformedLog:
        raise StartRefused(
            "El último checkpoint aún no lleva la firma de la clave nueva. Reinicie todos los procesos del registro, "
            "espere al próximo checkpoint y avise de la clave nueva a quienes verifican; después retire la anterior.",
            "The last checkpoint does not carry the new key's signature yet. Restart all processes of the register, "
            "wait for the next checkpoint, and tell those who verify about the new key; then retire the old one.",
        ) from None
