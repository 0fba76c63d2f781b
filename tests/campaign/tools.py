"""Other programs that a part of the campaign consists of."""
import os
import subprocess


def run(arguments, root, seconds, environment=None):
    """-> what is wrong: nothing where it ends with 0."""
    try:
        done = subprocess.run(arguments, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds, env={**os.environ, **(environment or {})},
                              check=False)
    except subprocess.TimeoutExpired:
        return ["%s was still running after %d s" % (" ".join(map(str, arguments)), seconds)]
    if done.returncode == 0:
        return []
    last = "\n".join(done.stdout.decode(errors="replace").splitlines()[-25:])
    return ["%s ended with %d:\n%s" % (" ".join(map(str, arguments)), done.returncode, last)]
