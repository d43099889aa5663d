"""What the brand file means for the phone."""

from applet import brand as brands
from applet.app import phone_config


def test_a_caller_s_wish_to_be_picked_up_is_the_brand_s_to_allow() -> None:
    brand = brands.load()
    assert not phone_config(brand, "sip:desk@example.com").auto_answer
    allowing = brand._replace(incoming=brand.incoming._replace(auto_answer=True))
    assert phone_config(allowing, "sip:desk@example.com").auto_answer


def test_only_the_desk_and_what_the_brand_allows_is_called_on_someone_else_s_word() -> None:
    config = phone_config(brands.load(), "sip:desk@example.com")
    assert config.desk == "sip:desk@example.com" and not config.other_addresses
