"""What somebody typed is there again after an accident, and gone when they chose to leave without saving."""

from playwright.sync_api import expect


def test_a_draft_comes_back_and_says_so_until_it_is_left_or_forgotten(amap, browse):
    page = browse(amap.committee, width=390)
    edit = f"/belombre/households/{amap.household.pk}/edit/"
    name, back = page.get_by_label("Name of the household"), page.get_by_text("What you had typed here is back")

    page.goto(edit)
    expect(back).to_be_hidden()
    name.fill("Membre et Cie")
    page.goto("/belombre/")
    page.goto(edit)
    expect(name).to_have_value("Membre et Cie")
    expect(back).to_be_visible()

    page.get_by_role("button", name="Forget it").click()
    expect(name).to_have_value("Membre")
    expect(back).to_be_hidden()

    name.fill("Encore autre chose")
    page.get_by_role("link", name="Cancel").click()
    page.goto(edit)
    expect(name).to_have_value("Membre")
    expect(back).to_be_hidden()
