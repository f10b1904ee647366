"""What each agent of Ctx2Skill is asked about a rule book in the language of the base `contexts`, and what it says."""

from selfplay.domains import rule_books as world
from selfplay.domains.contexts import RuleBooks
from selfplay.types import Context, Trace

BOOK = {"mip": "zap", "zap": "reverse", "tor": "first", "bix": "tor", "lud": "swap", "kem": "zap"}
CONTEXT = Context("by-hand", "", world.book_text(BOOK))
FAILED = "mip cat dog pig"
PASSED = "tor owl fox hen bee"
WORKED = "mip zap reverse : pig dog cat > names reverse ; starts pig ; ends cat ; counts 3"
ANSWER = "mip swap : dog cat pig"
VERDICTS = "names swap no ; starts dog no ; ends pig no ; counts 3 yes"


def rule_books() -> str:
    domain = RuleBooks()
    rubrics = domain.read_rubrics(WORKED) or ()
    trace = Trace(FAILED, rubrics, ANSWER, VERDICTS, (False, False, False, True))
    passed = Trace(PASSED, (), "tor first : owl", "", ())
    scenes = [
        ("challenger", domain.challenge_prompt(CONTEXT, "", 1), FAILED, domain.read_task(CONTEXT, FAILED)),
        ("challenger with a skill", domain.challenge_prompt(CONTEXT, "tor\nzap", 1), FAILED, ""),
        ("challenger, second call", domain.rubric_prompt(CONTEXT, FAILED), WORKED, rubrics),
        ("reasoner", domain.reason_prompt(CONTEXT, "", FAILED), ANSWER, domain.truth(CONTEXT, FAILED, ANSWER)),
        ("judge", domain.judge_prompt(FAILED, rubrics, ANSWER), VERDICTS, domain.read_verdicts(VERDICTS)),
        ("reasoner's proposer", domain.propose_prompt(CONTEXT, [trace], ""), "mip zap reverse", ""),
        ("reasoner's generator", domain.generate_prompt("mip zap reverse", "tor first"), "tor first ; mip reverse", ""),
        ("challenger's proposer", domain.propose_prompt(CONTEXT, [passed], "", "challenger"), "tor", ""),
        ("challenger's generator", domain.generate_prompt("tor", "zap", "challenger"), "zap ; tor", ""),
        ("reasoner with the skill", domain.reason_prompt(CONTEXT, "tor first\nmip reverse", FAILED), "", ""),
    ]
    lines = [CONTEXT.document, ""]
    for agent, prompt, reply, read in scenes:
        lines += [f"===== {agent}", f"sees  {prompt}", *([f"says  {reply}"] if reply else [])]
        lines += [f"read  {read}"] if read != "" else []
    skill = domain.read_skill("tor first ; mip reverse")
    lines += ["", f"a skill  {skill}", f"rules    {domain.true_skill(CONTEXT)!r}"]
    return "\n".join(lines) + "\n"
