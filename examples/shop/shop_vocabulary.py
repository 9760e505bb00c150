"""Names of people, places, promotions and opinions; products are in shop_assortment."""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """A country the shop sells to."""

    name: str
    language: str
    weight: int
    cities: tuple[tuple[str, int], ...]


class StoreSite(NamedTuple):
    """A shop on the high street."""

    name: str
    city: str
    country: str
    opened: str
    area: int


class Campaign(NamedTuple):
    """A promotion that comes back every year."""

    name: str
    percent: int
    start: str
    end: str


COUNTRIES = (
    Country(
        "Germany",
        "german",
        27,
        (("Berlin", 9), ("Hamburg", 6), ("Munich", 6), ("Cologne", 4), ("Leipzig", 3)),
    ),
    Country(
        "United Kingdom",
        "english",
        21,
        (("London", 10), ("Manchester", 5), ("Bristol", 3), ("Leeds", 3), ("Edinburgh", 3)),
    ),
    Country(
        "France",
        "french",
        16,
        (("Paris", 10), ("Lyon", 5), ("Marseille", 3), ("Bordeaux", 3), ("Lille", 2)),
    ),
    Country(
        "Netherlands",
        "dutch",
        11,
        (("Amsterdam", 7), ("Rotterdam", 5), ("Utrecht", 4), ("Eindhoven", 2)),
    ),
    Country(
        "Spain",
        "spanish",
        9,
        (("Madrid", 7), ("Barcelona", 6), ("Valencia", 4), ("Seville", 2)),
    ),
    Country("Italy", "italian", 8, (("Milan", 7), ("Rome", 6), ("Turin", 3), ("Bologna", 2))),
    Country("Austria", "german", 4, (("Vienna", 6), ("Graz", 2), ("Salzburg", 2))),
    Country("Belgium", "dutch", 3, (("Antwerp", 4), ("Brussels", 4), ("Ghent", 2))),
    Country("Ireland", "english", 2, (("Dublin", 6), ("Cork", 2), ("Galway", 1))),
    Country("Denmark", "danish", 2, (("Copenhagen", 6), ("Aarhus", 3), ("Odense", 1))),
    Country("Portugal", "portuguese", 2, (("Lisbon", 6), ("Porto", 4), ("Braga", 1))),
)

FIRST_NAMES = {
    "german": "Anna Lena Jonas Felix Katrin Sabine Lukas Moritz Heike Stefan Greta Tobias Ute "
    "Florian Jana Matthias Birgit Nils Frieda Jürgen",
    "english": "Emily Oliver Charlotte Harry Amelia George Sophie Jack Hannah Thomas Grace Daniel "
    "Megan Samuel Lucy Edward Holly Connor Alice Ryan",
    "french": "Camille Hugo Manon Louis Chloé Antoine Juliette Mathieu Élise Pierre Margaux "
    "Nicolas Solène Julien Inès Bastien Céline Thierry Amandine Gaël",
    "dutch": "Sanne Daan Lotte Bram Femke Sem Anouk Thijs Maud Ruben Iris Joris Fleur Pieter "
    "Marloes Sander Tess Willem Noor Koen",
    "spanish": "Lucía Javier Carmen Alejandro Marta Diego Paula Sergio Elena Pablo Raquel Álvaro "
    "Nuria Iván Rocío Manuel Silvia Andrés Pilar Hector",
    "italian": "Giulia Marco Francesca Luca Chiara Matteo Alessia Davide Valentina Simone Federica "
    "Giorgio Martina Paolo Ilaria Stefano Bianca Enrico Serena Fabio",
    "danish": "Freja Mikkel Ida Rasmus Astrid Søren Karoline Anders Sofie Jesper Signe Mads Line "
    "Kasper Maja Henrik Rikke Oscar Kirsten Jeppe",
    "portuguese": "Inês Tiago Beatriz Gonçalo Mariana Rui Catarina João Leonor Duarte Teresa "
    "Nuno Joana Vasco Rita Filipe Sara Bruno Margarida Afonso",
}
LAST_NAMES = {
    "german": "Schmidt Müller Weber Wagner Becker Hoffmann Schäfer Koch Bauer Richter Klein Wolf "
    "Neumann Schwarz Zimmermann Braun Krüger Hartmann Lange Krause Vogel Keller Brandt Seidel",
    "english": "Smith Jones Taylor Brown Williams Wilson Johnson Davies Evans Thompson Walker "
    "Wright Robinson Hughes Edwards Green Hall Clarke Turner Cooper Murphy Byrne Doyle Kelly",
    "french": "Martin Bernard Dubois Moreau Laurent Lefebvre Leroy Roux Fournier Girard Bonnet "
    "Lambert Fontaine Rousseau Chevalier Blanc Guérin Faure Mercier Garnier Renard Picard Noël "
    "Perrin",
    "dutch": "Jansen Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Dijkstra "
    "Postma Kuipers Vermeer Willems Maes Jacobs Claes Peeters Goossens Wouters Hermans Aerts",
    "spanish": "García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Ruiz Díaz "
    "Moreno Álvarez Romero Navarro Torres Ramos Gil Serrano Molina Ortega Castro Vega Iglesias",
    "italian": "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Conti "
    "Gallo Costa Mancini Lombardi Moretti Barbieri Fontana Rinaldi Caruso Ferri Testa Villa Serra",
    "danish": "Nielsen Jensen Hansen Pedersen Andersen Christensen Larsen Sørensen Rasmussen "
    "Petersen Madsen Kristensen Olsen Thomsen Poulsen Johansen Knudsen Mortensen Holm Lund Dahl "
    "Bech Winther Friis",
    "portuguese": "Silva Santos Ferreira Pereira Oliveira Rodrigues Martins Sousa Fernandes "
    "Gonçalves Gomes Lopes Marques Almeida Ribeiro Pinto Carvalho Teixeira Moreira Correia Mendes "
    "Nunes Vieira Monteiro",
}

STORE_SITES = (
    StoreSite("Berlin Mitte", "Berlin", "Germany", "2014-03-15", 1450),
    StoreSite("Hamburg Altona", "Hamburg", "Germany", "2015-09-05", 980),
    StoreSite("Munich Schwabing", "Munich", "Germany", "2016-04-23", 1120),
    StoreSite("London Camden", "London", "United Kingdom", "2016-10-01", 1600),
    StoreSite("Manchester Central", "Manchester", "United Kingdom", "2018-05-12", 870),
    StoreSite("Paris Marais", "Paris", "France", "2017-03-25", 1240),
    StoreSite("Lyon Presqu'île", "Lyon", "France", "2019-09-14", 760),
    StoreSite("Amsterdam Jordaan", "Amsterdam", "Netherlands", "2017-11-04", 900),
    StoreSite("Rotterdam Harbour", "Rotterdam", "Netherlands", "2021-06-19", 820),
    StoreSite("Madrid Chamberí", "Madrid", "Spain", "2019-04-06", 1010),
    StoreSite("Barcelona Gràcia", "Barcelona", "Spain", "2022-03-12", 940),
    StoreSite("Milan Navigli", "Milan", "Italy", "2020-02-08", 890),
    StoreSite("Rome Trastevere", "Rome", "Italy", "2024-04-20", 780),
    StoreSite("Vienna Neubau", "Vienna", "Austria", "2022-10-08", 700),
    StoreSite("Leipzig Plagwitz", "Leipzig", "Germany", "2025-09-06", 650),
)

CAMPAIGNS = (
    Campaign("Winter Clearance", 30, "01-08", "01-28"),
    Campaign("Spring Sale", 15, "04-01", "04-14"),
    Campaign("Summer Kick-off", 10, "06-05", "06-18"),
    Campaign("Back to Work", 10, "09-01", "09-12"),
    Campaign("Black Week", 25, "11-20", "11-30"),
    Campaign("Gift Days", 20, "12-10", "12-20"),
)

PRAISE = (
    "Exactly what I was looking for.",
    "Great quality, would buy again.",
    "Solid, light and well made.",
    "My whole family uses it.",
    "Better than I expected for the price.",
    "Arrived quickly and works well.",
    "Looks even nicer than in the pictures.",
    "Has survived a full year without a scratch.",
)
SHRUGS = (
    "Does the job, nothing special.",
    "Good, but a little overpriced.",
    "Fine for occasional use.",
    "The colour is a bit different from the photo.",
    "Okay, but the instructions are poor.",
)
COMPLAINTS = (
    "Broke after a few weeks.",
    "Much smaller than described.",
    "The material feels cheap.",
    "Took far too long to arrive.",
    "Not worth the money.",
    "Stopped working after two months.",
)

CARRIERS = ("Swift Parcel", "NordPost", "Blue Van Express", "City Courier")
RETURN_REASONS = (
    "changed mind",
    "wrong size",
    "not as described",
    "defective",
    "damaged in transit",
    "arrived late",
)

_PLAIN = str.maketrans("áàâäãåéèêëíìîïóòôöõøúùûüçñýÿß", "aaaaaaeeeeiiiioooooouuuucnyys")


def plain(text: str) -> str:
    """Return a text in lower case without accents, as in an e-mail address."""
    return text.lower().translate(_PLAIN)
