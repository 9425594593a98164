"""Whose fault is it, and in which step?"""

from npgpt.checking.trace import first_difference, first_other_dtype


def locate(findings, involved):
    """-> the first Difference between the suspect and an implementation that
    is not, or None where no step gives one away."""
    if findings[0].is_edge:
        return None
    steps = [each for each in involved if each.packages]
    suspect, finding = blame(findings, involved), findings[0]
    named = [each for each in steps if each.name == suspect]
    if finding.other_dtype and named:
        return first_other_dtype(finding.case, named[0], finding.other_dtype)
    if finding.layout and named:
        return first_difference(finding.case, named[0], named[0], finding.layout)
    others = {name.split(" on ")[0] for each in findings if suspect in each.about
              for name in each.about} - {suspect}
    trusted = [each for each in steps
               if each.name != suspect and (not others or each.name in others)]
    suspects = named or steps[1:2]
    if not trusted or not suspects:
        return None
    differences = (first_difference(case, suspects[0], trusted[0])
                   for case in (finding.case, *finding.tried))
    return next(filter(None, differences), None)


def blame(findings, involved):
    """The implementation that most findings are about; of equals the last,
    which is the candidate where there is one."""
    counts = {each.name: 0 for each in involved[::-1]}
    for finding in findings:
        for name in finding.about:
            name = name.split(" on ")[0]
            if name in counts:
                counts[name] += 1
    return max(counts, key=counts.get)


def explain(findings, involved):
    """The first findings, and the step at which the suspect parts from the
    rest; the one error that is told, with its budget, is the step's."""
    difference = locate(findings, involved)
    if difference is None:
        return "\n".join(str(finding) for finding in findings[:3])
    lines = [finding.told(finding.brief or finding.what) for finding in findings[:3]]
    return "\n".join([*lines, f"first value that differs: {difference}"])
