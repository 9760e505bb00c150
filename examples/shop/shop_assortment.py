"""What the shop sells and who supplies it: departments, categories, product names and prices."""

from __future__ import annotations

from typing import NamedTuple


class Range(NamedTuple):
    """One category: its lines, its forms with the price in euros of the middle line."""

    category: str
    department: str
    season: str
    trend: str
    returns_percent: int
    lines: str
    forms: tuple[tuple[str, int], ...]


class Supplier(NamedTuple):
    """A company the shop buys from, and the departments it delivers to."""

    name: str
    country: str
    lead_time_days: int
    departments: str


# A product is named "<line> <form>"; later lines are dearer.
LINE_PRICE_PERCENT = (78, 92, 105, 124, 148)

RANGES = (
    Range(
        "Backpacks", "Outdoor", "summer", "growing", 4,
        "Wayfarer Trailhead Ridgeline Summit Expedition",
        (("20L Daypack", 59), ("40L Backpack", 119), ("65L Trekking Pack", 189),
         ("Hydration Vest", 79)),
    ),
    Range(
        "Tents", "Outdoor", "summer", "shrinking", 5,
        "Meadow Lakeside Stormproof Alpine Basecamp",
        (("2-Person Tent", 179), ("4-Person Tent", 299), ("Tarp Shelter", 69),
         ("Bivvy Bag", 99)),
    ),
    Range(
        "Sleeping Gear", "Outdoor", "summer", "steady", 3,
        "Cosy Nightfall Northstar Polar Glacier",
        (("Sleeping Bag", 109), ("Sleeping Mat", 64), ("Camp Pillow", 24), ("Hammock", 54)),
    ),
    Range(
        "Camp Cooking", "Outdoor", "summer", "steady", 2,
        "Ember Cinder Firefly Bonfire Forge",
        (("Gas Stove", 49), ("Cook Set", 59), ("Insulated Flask", 29), ("Folding Grill", 84)),
    ),
    Range(
        "Climbing", "Outdoor", "summer", "growing", 3,
        "Pebble Granite Crux Vertex Pinnacle",
        (("Harness", 69), ("60m Rope", 149), ("Helmet", 59), ("Chalk Bag", 19)),
    ),
    Range(
        "Jackets", "Clothing", "winter", "steady", 11,
        "Drizzle Breeze Harbour Tempest Arctic",
        (("Rain Jacket", 99), ("Down Jacket", 189), ("Softshell Jacket", 119),
         ("Winter Parka", 229)),
    ),
    Range(
        "Knitwear", "Clothing", "winter", "shrinking", 9,
        "Cotton Heather Merino Alpaca Cashmere",
        (("Crew Jumper", 69), ("Cardigan", 79), ("Beanie", 22), ("Scarf", 34)),
    ),
    Range(
        "Footwear", "Clothing", "steady", "growing", 13,
        "Pathway Stride Rambler Trekker Mountaineer",
        (("Hiking Boots", 149), ("Trail Shoes", 109), ("Sandals", 59), ("Wool Socks 3-Pack", 24)),
    ),
    Range(
        "Cycling", "Sports", "summer", "growing", 5,
        "Metro Velo Cadence Breakaway Peloton",
        (("City Bike", 549), ("Bike Helmet", 69), ("Pannier Bag", 74), ("Light Set", 39)),
    ),
    Range(
        "Running", "Sports", "steady", "growing", 10,
        "Jog Tempo Pacer Sprint Marathon",
        (("Running Shoes", 119), ("Running Tights", 49), ("Running Belt", 24),
         ("Windbreaker", 79)),
    ),
    Range(
        "Yoga", "Sports", "steady", "steady", 3,
        "Calm Lotus Balance Zenith Serenity",
        (("Yoga Mat", 44), ("Yoga Block Set", 19), ("Bolster", 39), ("Resistance Bands", 17)),
    ),
    Range(
        "Kitchenware", "Home", "gift", "steady", 3,
        "Pantry Bistro Copper Heritage Master",
        (("Frying Pan", 54), ("Chef's Knife", 79), ("Coffee Grinder", 64), ("Mixing Bowl Set", 39)),
    ),
    Range(
        "Lighting", "Home", "winter", "steady", 4,
        "Glow Lumen Halo Aurora Eclipse",
        (("Desk Lamp", 59), ("Floor Lamp", 129), ("Pendant Light", 99), ("Lantern", 34)),
    ),
    Range(
        "Bedding", "Home", "winter", "steady", 4,
        "Dream Linen Willow Feather Nordic",
        (("Duvet", 99), ("Duvet Cover Set", 69), ("Pillow", 39), ("Wool Blanket", 84)),
    ),
    Range(
        "Furniture", "Home", "steady", "shrinking", 6,
        "Studio Birch Oakwood Loft Atelier",
        (("Side Table", 119), ("Bookshelf", 199), ("Armchair", 349), ("Desk", 279)),
    ),
    Range(
        "Headphones", "Electronics", "gift", "growing", 7,
        "Echo Pulse Sonic Resonance Symphony",
        (("Earbuds", 69), ("Over-Ear Headphones", 149), ("Sport Earphones", 49),
         ("Portable Speaker", 89)),
    ),
    Range(
        "Smart Watches", "Electronics", "gift", "growing", 8,
        "Active Orbit Meridian Navigator Chrono",
        (("Fitness Band", 59), ("Smart Watch", 199), ("GPS Watch", 279), ("Kids Watch", 79)),
    ),
    Range(
        "Chargers", "Electronics", "gift", "shrinking", 4,
        "Spark Volt Ampere Dynamo Turbine",
        (("Power Bank", 39), ("Solar Charger", 69), ("Travel Adapter", 24),
         ("Wireless Charger", 34)),
    ),
    Range(
        "Luggage", "Travel", "summer", "steady", 4,
        "Weekender Voyager Horizon Globetrotter Concorde",
        (("Cabin Suitcase", 119), ("Large Suitcase", 179), ("Duffel Bag", 79),
         ("Garment Bag", 89)),
    ),
    Range(
        "Travel Accessories", "Travel", "summer", "steady", 2,
        "Nomad Compass Atlas Passage Odyssey",
        (("Neck Pillow", 24), ("Packing Cubes", 29), ("Toiletry Bag", 27), ("Passport Wallet", 34)),
    ),
)  # fmt: skip

SUPPLIERS = (
    Supplier("Hanoi Stitchworks", "Vietnam", 45, "Outdoor Clothing Travel"),
    Supplier("Shenzhen Brightline", "China", 38, "Electronics"),
    Supplier("Guangzhou Metalcraft", "China", 42, "Home Outdoor"),
    Supplier("Porto Têxtil", "Portugal", 14, "Clothing Home"),
    Supplier("Baltic Timber Works", "Lithuania", 18, "Home"),
    Supplier("Gdansk Lighting", "Poland", 12, "Home"),
    Supplier("Alpenseil", "Austria", 9, "Outdoor"),
    Supplier("Bergland Ausrüstung", "Germany", 7, "Outdoor Travel"),
    Supplier("Utrecht Rijwielen", "Netherlands", 11, "Sports"),
    Supplier("Bangalore Sportswear", "India", 35, "Sports Clothing"),
    Supplier("Izmir Cotton House", "Turkey", 21, "Clothing Home"),
    Supplier("Veneto Calzature", "Italy", 16, "Clothing Sports"),
    Supplier("Taipei Micro Audio", "Taiwan", 33, "Electronics"),
    Supplier("Solingen Klingen", "Germany", 8, "Home"),
    Supplier("Dhaka Knit Company", "Bangladesh", 48, "Clothing"),
    Supplier("Jutland Dun", "Denmark", 13, "Home Outdoor"),
    Supplier("Lyon Bagagerie", "France", 10, "Travel"),
    Supplier("Osaka Precision", "Japan", 29, "Electronics"),
    Supplier("Sheffield Forge", "United Kingdom", 15, "Home"),
    Supplier("Cape Town Leather", "South Africa", 31, ""),
    Supplier("Oslo Wool Mill", "Norway", 17, ""),
)

# Names that sell far above the rest of their category, with how many times as often.
BEST_SELLERS = {
    "Trailhead 40L Backpack": 4,
    "Meridian GPS Watch": 8,
    "Velo City Bike": 4,
    "Rambler Hiking Boots": 11,
    "Resonance Over-Ear Headphones": 6,
    "Harbour Softshell Jacket": 6,
    "Lotus Yoga Mat": 8,
    "Cinder Insulated Flask": 6,
}
# Listed for years and never bought.
NEVER_SOLD = frozenset(
    {
        "Expedition Hydration Vest",
        "Glacier Camp Pillow",
        "Forge Folding Grill",
        "Pinnacle Chalk Bag",
        "Cashmere Scarf",
        "Eclipse Lantern",
    }
)
