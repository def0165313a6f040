"""The fields of a list of reports."""

from typing import Final

from api.imports.fields import OWN_ID, Field
from registry.text import Text

REPORT_FIELDS: Final = (
    OWN_ID,
    Field(
        "class",
        Text("Clase", "Class"),
        Text("Amenaza o ataque. Elija de la lista.", "Threat or attack. Choose from the list."),
        ("tipo de evento", "clasificacion", "class"),
        required=True,
    ),
    Field(
        "source_type",
        Text("Tipo de fuente", "Type of source"),
        Text("Quién lo dice. Elija de la lista.", "Who says it. Choose from the list."),
        ("fuente", "source type", "origen"),
        required=True,
    ),
    Field(
        "directness",
        Text("Fuente directa", "Directness"),
        Text("DIRECT si nombra a un testigo o un documento.", "DIRECT if it names a witness or a document."),
        ("directa", "direct"),
    ),
    Field(
        "source_name",
        Text("Nombre de la fuente", "Name of the source"),
        Text("Por ejemplo, el medio. Se guarda cifrado.", "The outlet, for example. Stored encrypted."),
        ("medio", "outlet", "source", "periodico", "source office"),
    ),
    Field(
        "kind",
        Text("Tipo de agresión", "Kind"),
        Text("Según la clase. Elija de la lista.", "As the class has them. Choose from the list."),
        ("tipo", "agresion", "delito", "attack type", "incident", "hecho"),
    ),
    Field(
        "means[0]",
        Text("Medio empleado", "Means"),
        Text("Elija de la lista.", "Choose from the list."),
        ("arma", "weapon", "medios"),
    ),
    Field(
        "when.earliest",
        Text("Fecha desde", "Earliest date"),
        Text(
            "Como fecha; si se sabe el día, el mismo en ambas.",
            "As a date; the same in both if the day is known.",
        ),
        (
            "fecha",
            "fecha del hecho",
            "fecha inicio",
            "date",
            "attack date",
            "date start",
            "fecha de los hechos",
        ),
        day=True,
    ),
    Field(
        "when.latest",
        Text("Fecha hasta", "Latest date"),
        Text("Como fecha.", "As a date."),
        ("fecha fin", "fecha final", "date end", "hasta"),
        day=True,
    ),
    Field(
        "when.precision",
        Text("Precisión de la fecha", "Precision of the date"),
        Text("DAY si se sabe el día. Elija de la lista.", "DAY if the day is known. Choose from the list."),
        ("precision fecha", "date prec", "date precision"),
    ),
    Field(
        "where.state",
        Text("Estado", "State"),
        Text("Clave de dos cifras. Elija de la lista.", "Two digits. Choose from the list."),
        ("entidad", "entidad federativa", "state", "adm 1", "cve ent", "clave entidad"),
    ),
    Field(
        "where.place",
        Text("Municipio", "Municipality"),
        Text(
            "Por su nombre, con el estado aquí o en su columna: Pueblo Nuevo, Durango.",
            "By its name, with the state here or in its column: Pueblo Nuevo, Durango.",
        ),
        ("nombre del municipio", "nom mun", "municipality", "lugar", "place", "adm 2"),
    ),
    Field(
        "where.cvegeo",
        Text("Municipio (cvegeo)", "Municipality (cvegeo)"),
        Text(
            "En vez del nombre: cinco cifras, como texto: 01001.",
            "Instead of the name: five digits, as text: 01001.",
        ),
        ("cvegeo", "cve geo", "clave municipio", "clave del municipio", "cve mun"),
    ),
    Field(
        "where.site.source_record_id",
        Text("CLUES de la unidad", "CLUES of the clinic"),
        Text("Si ocurrió en una. La actual o una anterior.", "If it happened in one. Present or former."),
        ("clues", "clave clues", "unidad", "clinica", "centro de salud", "sede", "site", "clinic"),
    ),
    Field(
        "where.precision",
        Text("Precisión del lugar", "Precision of the place"),
        Text(
            "Lo más fino que se conoce. Elija de la lista.",
            "The finest that is known. Choose from the list.",
        ),
        ("where prec", "precision lugar"),
    ),
    Field(
        "perpetrator.group",
        Text("Responsable", "Perpetrator"),
        Text(
            "Un grupo, nunca una persona. Elija de la lista.",
            "A group, never a person. Choose from the list.",
        ),
        ("agresor", "perpetrador", "perpetrator"),
    ),
    Field(
        "perpetrator.basis",
        Text("Base de la atribución", "Basis of the attribution"),
        Text("Con el responsable. Elija de la lista.", "With the perpetrator. Choose from the list."),
        ("base",),
    ),
    Field(
        "victims[0].role",
        Text("Víctima", "Victim"),
        Text(
            "PASANTE_MEDICINE si lo era. Elija de la lista.",
            "PASANTE_MEDICINE if so. Choose from the list.",
        ),
        ("rol", "role", "victim", "cargo"),
    ),
    Field(
        "victims[0].student.curp",
        Text("CURP de la víctima", "CURP of the victim"),
        Text(
            "Si era pasante. CURP o matrícula, una de las dos. Se guarda cifrada.",
            "Of a student. CURP or student number, one of them. Stored encrypted.",
        ),
        ("curp",),
    ),
    Field(
        "victims[0].student.internal_id",
        Text("Matrícula de la víctima", "Student number of the victim"),
        Text("Si no hay CURP. Se guarda cifrada.", "Where there is no CURP. Stored encrypted."),
        ("matricula", "numero de cuenta", "boleta", "student number"),
    ),
    Field(
        "victims[0].sex",
        Text("Sexo", "Sex"),
        Text("Elija de la lista.", "Choose from the list."),
        ("genero", "gender", "sex"),
    ),
    Field(
        "victims[0].outcome",
        Text("Consecuencia", "Outcome"),
        Text("La más grave. Elija de la lista.", "The gravest. Choose from the list."),
        ("desenlace", "resultado", "outcome", "lesion"),
    ),
    Field(
        "victims[0].nexus",
        Text("Vínculo con el servicio", "Link to the service"),
        Text("Dónde y en qué momento. Elija de la lista.", "Where and when. Choose from the list."),
        ("vinculo", "nexus", "nexo"),
    ),
    Field(
        "victims[0].count.low",
        Text("Víctimas, mínimo", "Victims, at least"),
        Text("Si fueron varias: mínimo, mejor y máximo.", "If there were several: lowest, best, highest."),
        ("minimo", "low"),
    ),
    Field(
        "victims[0].count.best",
        Text("Víctimas, mejor cifra", "Victims, best figure"),
        Text("Entre el mínimo y el máximo.", "Between the two."),
        ("victimas", "best", "numero de victimas"),
    ),
    Field(
        "victims[0].count.high",
        Text("Víctimas, máximo", "Victims, at most"),
        Text("Si no se sabe, la mejor cifra.", "If unknown, the best figure."),
        ("maximo", "high"),
    ),
    Field(
        "narrative",
        Text("Relato", "Narrative"),
        Text("Con sus palabras. Se guarda cifrado.", "In your own words. Stored encrypted."),
        ("descripcion", "narrativa", "hechos", "description", "observaciones", "notas"),
    ),
    Field(
        "evidence[0].source_url",
        Text("Enlace", "Link"),
        Text("Dirección del documento o la nota. Se guarda cifrada.", "Address of the document or article."),
        ("url", "liga", "link", "enlaces"),
    ),
)
