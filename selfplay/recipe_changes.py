"""What differs between the recipe now and when a checkpoint was written, and whether a resume may go on all the same.

saved config, now --differences--> what alters learning --`resume_allow`--> a remark, or one line that refuses
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from selfplay.configuration import RecipeError
from selfplay.keys import flat_keys
from selfplay.learner.launched import Launched

MAY_DIFFER = (
    "resume", "resume_allow", "dry_run", "output_dir", "run_name", "tracking", "evaluation.every", "processes",
    "learner.save_every", "learner.keep", "learner.keep_best",
)  # fmt: skip
"""Keys that a resumed run may change: they alter what is shown and saved, never what is learned. (``processes`` only
says how many are wanted; how many there are, ``allowed_launch`` looks at.)"""

HOW_ASKED = ("url", "timeout", "retries", "backoff", "at_once", "per_minute", "api_key_env", "prices")
"""Keys of an endpoint that may change too: where the model is asked and how patiently, not which one nor for what."""

NEVER = ("learner.updates_per_window",)
"""Keys that no ``resume_allow`` lets through."""

WITHOUT_AN_END = ("constant", "constant_with_warmup", "inverse_sqrt")
"""Learning rate schedules that do not depend on ``max_steps``; under the others an earlier window would have had
another rate, as under ``learner.loss_mix=ramp`` it would have had other weights."""

PROCESSES = "processes"
"""The word that allows another number of processes."""


def differences(saved: Mapping[str, Any], config: DictConfig) -> dict[str, tuple[Any, Any]]:
    """Key -> (then, now) of every value that is not the same; None where there is none."""
    then, now = _leaves(OmegaConf.create(dict(saved))), _leaves(config)
    return {key: (then.get(key), now.get(key)) for key in sorted(then.keys() | now.keys()) if _differ(then, now, key)}


def changes(saved: Mapping[str, Any], config: DictConfig) -> dict[str, tuple[Any, Any]]:
    """The ``differences`` that alter what is learned."""
    return {key: values for key, values in differences(saved, config).items() if not _may_differ(key, config)}


def allowed_changes(saved: Mapping[str, Any], config: DictConfig) -> list[str]:
    """What ``resume_allow`` lets through, e.g. ``learner.lr 0.001 -> 0.002``.

    Raises:
        RecipeError: with every other key that alters what is learned, and the word that would allow it.
    """
    changed = changes(saved, config)
    allowed = [str(name) for name in config.resume_allow]
    hopeless = next((key for key in changed if key in NEVER), None)
    if hopeless:
        raise RecipeError(
            f"resume={config.resume}: {_shown(hopeless, *changed[hopeless])} cannot change on a resume, since windows "
            "would begin in other places; undo that, or start anew with resume=never."
        )
    refused = [key for key in changed if not _covers(allowed, key)]
    if refused:
        shown = ", ".join(_shown(key, *changed[key]) for key in refused)
        word = ",".join([*allowed, *refused])
        raise RecipeError(
            f"resume={config.resume}: the recipe has changed since ({shown}); undo that, allow it with "
            f"'resume_allow=[{word}]', or start anew with resume=never."
        )
    return [_shown(key, *values) for key, values in changed.items()]


def allowed_launch(saved: Mapping[str, Any], config: DictConfig, now: Launched) -> str:
    """A remark where the job was started otherwise than its checkpoint was, or an empty text.

    Raises:
        RecipeError: it cannot work, or has not been allowed.
    """
    then = Launched(**saved)
    if then == now:
        return ""
    where = f"resume={config.resume}: the checkpoint was written by {then}, and this job runs {now}"
    if then.strategy != "plain" or now.strategy != "plain":
        raise RecipeError(
            f"{where}; DeepSpeed's shards fit the one they were cut for alone. Launch it as before, or start anew with "
            "resume=never."
        )
    allowed = [str(name) for name in config.resume_allow]
    if PROCESSES not in allowed:
        word = ",".join([*allowed, PROCESSES])
        raise RecipeError(f"{where}; launch it as before, or give up bit-exactness with 'resume_allow=[{word}]'.")
    return f"written by {then}, going on with {now}: no longer bit-exact"


def changed_versions(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """
    >>> changed_versions({"torch": "2.12", "trl": "1.16"}, {"torch": "2.13", "trl": "1.16"})
    'torch 2.12 -> 2.13'
    """
    names = sorted(then.keys() | now.keys())
    return ", ".join(_shown(name, then.get(name), now.get(name)) for name in names if then.get(name) != now.get(name))


def _leaves(config: Any) -> dict[str, Any]:
    plain = cast(DictConfig, OmegaConf.create(OmegaConf.to_container(config, resolve=True)))
    found = {key: OmegaConf.select(plain, key) for key in flat_keys(plain)}
    return {key: _plain(value) for key, value in found.items() if not _has_keys(value)}


def _has_keys(value: Any) -> bool:
    return isinstance(value, DictConfig) and bool(value)


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def _differ(then: Mapping[str, Any], now: Mapping[str, Any], key: str) -> bool:
    """A key that is missing is as good as null, with which newer versions add theirs; in ``endpoint.extra`` null
    removes something."""
    told = ".extra." in key and (key in then) != (key in now)
    return told or then.get(key) != now.get(key)


def _may_differ(key: str, config: DictConfig) -> bool:
    if key == "max_steps":
        return str(config.learner.lr_scheduler) in WITHOUT_AN_END and config.learner.loss_mix != "ramp"
    return _covers(MAY_DIFFER, key) or _only_how_asked(key, config)


def _only_how_asked(key: str, config: DictConfig) -> bool:
    group, *rest = key.split(".")
    if group not in ("endpoint", "endpoints"):
        return False
    players = OmegaConf.select(config, "players") or {}
    if "endpoint" not in ([players] if isinstance(players, str) else players.values()):
        return True  # nobody is asked
    return key == "endpoints" or (len(rest) == (1 if group == "endpoint" else 2) and rest[-1] in HOW_ASKED)


def _covers(names: Sequence[str], key: str) -> bool:
    """Whether the key or one of its parents is among the names."""
    return any(f"{key}.".startswith(f"{name}.") for name in names)


def _shown(key: str, then: Any, now: Any) -> str:
    return f"{key} {then} -> {now}"
