"""What a prompt asks the scene to be: its place, its time of day, what falls from its sky."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Place = Literal["city", "sea", "forest", "mountain", "desert", "room", "space", "studio"]
Time = Literal["day", "sunset", "night"]
Weather = Literal["clear", "rain", "snow"]

# The first words are stems: "mountains" and "mountainous" count for "mountain".
_PLACES: dict[Place, str] = {
    "city": "city street sidewalk pavement neon downtown skyscraper rooftop urban alley traffic taxi market tokyo",
    "sea": "beach sea ocean coast shore wave sand harbour harbor island surf lake river sail",
    "forest": "forest wood tree garden park jungle meadow grass leaf leaves field flower moss",
    "mountain": "mountain snow ski alp peak glacier hill valley cliff ridge winter ice launch",
    "desert": "desert dune mars canyon savanna cactus sahara",
    "room": "table kitchen room cafe café coffee desk shelf sofa bedroom window restaurant bar office library wooden",
    "space": "space star galaxy nebula orbit planet moon cosmos asteroid",
    "studio": "studio backdrop seamless product pedestal plain white-background",
}
_TIMES: dict[Time, str] = {
    "night": "night neon midnight dark moonlit starry",
    "sunset": "sunset sunrise evening golden dusk dawn morning twilight warm candle",
    "day": "day noon sunny bright daylight",
}
_RAIN = "rain wet storm drizzle puddle"
_SNOW = "snow blizzard snowfall winter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """A scene in words."""

    place: Place
    time: Time
    weather: Weather
    wet: bool

    @property
    def gloss(self) -> float:
        """How much of the scene its ground reflects, 0 to 1."""
        if self.wet:
            return 0.75
        return {"city": 0.35, "sea": 0.5, "room": 0.3, "studio": 0.22, "mountain": 0.15}.get(self.place, 0.06)


def read_mood(prompt: str) -> Mood:
    """The mood of a prompt; one that says nothing of a place gets a quiet studio."""
    words = re.findall(r"[\w-]+", prompt.lower())
    places = {place: _count(words, stems) for place, stems in _PLACES.items()}
    place = max(places, key=lambda each: places[each]) if any(places.values()) else "studio"
    times = {time: _count(words, stems) for time, stems in _TIMES.items()}
    usual: Time = "night" if place == "space" else "day"
    time = max(times, key=lambda each: times[each]) if any(times.values()) else usual
    wet = bool(_count(words, _RAIN)) and place in {"city", "studio", "forest", "sea"}
    weather: Weather = "clear"
    if _count(words, "rain storm drizzle"):
        weather = "rain"
    elif _count(words, _SNOW):
        weather = "snow"
    return Mood(place=place, time=time, weather=weather, wet=wet)


def _count(words: list[str], stems: str) -> int:
    """How many of the words begin with one of the stems; short stems have to be the whole word (or its plural)."""
    known = stems.split()
    return sum(
        any(word in {stem, f"{stem}s"} or (len(stem) > 4 and word.startswith(stem)) for stem in known)  # noqa: PLR2004
        for word in words
    )
