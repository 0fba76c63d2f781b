"""Part 11: files of every version of a format (tests/golden) can be read: a test of its own, called here."""
from . import tools
from .driver import ROOT, Trial


def trials(campaign):
    if (ROOT / "tests/golden").is_dir() and (campaign.build / "CTestTestfile.cmake").exists():
        test = ["ctest", "--test-dir", campaign.build, "-R", "^apps[.]Golden", "--no-tests=error", "-Q"]
        yield Trial("golden/all", lambda folder: tools.run(test, ROOT, 600), "ctest -R '^apps[.]Golden'")
