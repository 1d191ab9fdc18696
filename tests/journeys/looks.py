"""What every page must be, whatever it shows."""

from axe_playwright_python.sync_playwright import Axe


def check_axe(page):
    """Nothing that axe finds wrong; the failure names the places."""
    page.wait_for_load_state()
    found = Axe().run(page).response["violations"]
    assert not found, "\n".join(
        f"{page.url}: {violation['id']} — {violation['help']}: {node['html'][:200]}"
        for violation in found
        for node in violation["nodes"]
    )


def check_fits(page):
    """No sideways scrolling at this width."""
    # A click returns as soon as the next page is known to come, before there is anything of it.
    page.wait_for_load_state()
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"
