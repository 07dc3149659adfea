"""The preference page's own words, in the languages that it speaks; the categories' words are the brand's."""

from collections.abc import Sequence
from dataclasses import dataclass

from smartpush.common.language.languages import language_pick


@dataclass(frozen=True, slots=True)
class Texts:
    """One language; `{brand}` in a text is the brand's name."""

    name: str
    title: str
    intro: str
    topics: str
    no_topics: str
    stop: str
    stop_hint: str
    save: str
    saved: str
    expired_title: str
    expired: str
    unknown_title: str
    unknown: str
    busy_title: str
    busy: str
    away: str
    failed: str
    languages: str


TEXTS = {
    "en": Texts(
        name="English",
        title="Push notifications from {brand}",
        intro="Choose what you would like to hear about. You can change it at any time.",
        topics="Topics",
        no_topics="There are no topics to choose from at the moment.",
        stop="No push notifications at all",
        stop_hint="While this is on, your topics are kept but nothing is sent for them.",
        save="Save",
        saved="Your choices are saved.",
        expired_title="This link has expired",
        expired="For your safety such a link works for one day. Open the website or app again and ask for a new one.",
        unknown_title="This link does not work",
        unknown="It may have been cut off when it was copied. Open the website or app again and ask for a new one.",
        busy_title="One moment, please",
        busy="There were too many attempts from here. Please try again in a minute.",
        away="Your choices cannot be read at this moment. Nothing is lost. Please try again in a minute.",
        failed="Your choices could not be saved: there are too many of them. Please untick some.",
        languages="Languages",
    ),
    "el": Texts(
        name="Ελληνικά",
        title="Ειδοποιήσεις push από {brand}",
        intro="Επιλέξτε για τι θέλετε να ενημερώνεστε. Μπορείτε να το αλλάξετε οποιαδήποτε στιγμή.",
        topics="Θέματα",
        no_topics="Αυτή τη στιγμή δεν υπάρχουν θέματα για επιλογή.",
        stop="Καμία ειδοποίηση push",
        stop_hint="Όσο είναι ενεργό, τα θέματά σας διατηρούνται, αλλά δεν αποστέλλεται τίποτα.",
        save="Αποθήκευση",
        saved="Οι επιλογές σας αποθηκεύτηκαν.",
        expired_title="Ο σύνδεσμος έχει λήξει",
        expired="Για την ασφάλειά σας ο σύνδεσμος ισχύει για μία ημέρα. Ανοίξτε ξανά τον ιστότοπο ή την εφαρμογή και "
        "ζητήστε νέο.",
        unknown_title="Ο σύνδεσμος δεν λειτουργεί",
        unknown="Ίσως κόπηκε κατά την αντιγραφή. Ανοίξτε ξανά τον ιστότοπο ή την εφαρμογή και ζητήστε νέο.",
        busy_title="Μια στιγμή, παρακαλώ",
        busy="Έγιναν πάρα πολλές προσπάθειες από εδώ. Δοκιμάστε ξανά σε ένα λεπτό.",
        away="Οι επιλογές σας δεν μπορούν να διαβαστούν αυτή τη "
        "στιγμή. Τίποτα δεν χάθηκε. Δοκιμάστε ξανά σε ένα λεπτό.",
        failed="Οι επιλογές σας δεν αποθηκεύτηκαν: είναι πάρα πολλές. Αφαιρέστε μερικές.",
        languages="Γλώσσες",
    ),
    "de": Texts(
        name="Deutsch",
        title="Push-Mitteilungen von {brand}",
        intro="Wählen Sie, worüber Sie informiert werden möchten. Sie können das jederzeit ändern.",
        topics="Themen",
        no_topics="Zurzeit gibt es keine Themen zur Auswahl.",
        stop="Gar keine Push-Mitteilungen",
        stop_hint="Solange dies eingeschaltet ist, bleiben Ihre Themen gespeichert, aber es wird nichts gesendet.",
        save="Speichern",
        saved="Ihre Auswahl ist gespeichert.",
        expired_title="Dieser Link ist abgelaufen",
        expired="Zu Ihrer Sicherheit gilt ein solcher Link einen Tag lang. Öffnen Sie die Website oder App erneut und "
        "fordern Sie einen neuen an.",
        unknown_title="Dieser Link funktioniert nicht",
        unknown="Vielleicht wurde er beim Kopieren abgeschnitten. Öffnen Sie die Website oder App erneut und fordern "
        "Sie einen neuen an.",
        busy_title="Einen Moment, bitte",
        busy="Von hier kamen zu viele Versuche. Bitte versuchen Sie es in einer Minute noch einmal.",
        away="Ihre Auswahl kann gerade nicht gelesen werden. Nichts ist "
        "verloren. Bitte versuchen Sie es in einer Minute noch einmal.",
        failed="Ihre Auswahl konnte nicht gespeichert werden: Es sind zu viele Themen. Bitte wählen Sie einige ab.",
        languages="Sprachen",
    ),
    "es": Texts(
        name="Español",
        title="Notificaciones push de {brand}",
        intro="Elige sobre qué quieres recibir novedades. Puedes cambiarlo cuando quieras.",
        topics="Temas",
        no_topics="Ahora mismo no hay temas que elegir.",
        stop="Ninguna notificación push",
        stop_hint="Mientras esté activado, tus temas se conservan, pero no se envía nada.",
        save="Guardar",
        saved="Tus preferencias se han guardado.",
        expired_title="Este enlace ha caducado",
        expired="Por tu seguridad, el enlace funciona durante un día. Abre de nuevo el sitio web o la aplicación y "
        "pide otro.",
        unknown_title="Este enlace no funciona",
        unknown="Puede que se cortara al copiarlo. Abre de nuevo el sitio web o la aplicación y pide otro.",
        busy_title="Un momento, por favor",
        busy="Ha habido demasiados intentos desde aquí. Vuelve a probar dentro de un minuto.",
        away="Tus preferencias no se pueden leer en este momento. No "
        "se ha perdido nada. Vuelve a probar dentro de un minuto.",
        failed="No se han podido guardar tus preferencias: son demasiadas. Desmarca algunas.",
        languages="Idiomas",
    ),
    "fr": Texts(
        name="Français",
        title="Notifications push de {brand}",
        intro="Choisissez les sujets qui vous intéressent. Vous pouvez changer d’avis à tout moment.",
        topics="Sujets",
        no_topics="Il n’y a aucun sujet à choisir pour le moment.",
        stop="Aucune notification push",
        stop_hint="Tant que cette option est activée, vos sujets sont conservés, mais rien n’est envoyé.",
        save="Enregistrer",
        saved="Vos choix sont enregistrés.",
        expired_title="Ce lien a expiré",
        expired="Pour votre sécurité, ce lien est valable un jour. Ouvrez à nouveau le site ou l’application pour en "
        "demander un autre.",
        unknown_title="Ce lien ne fonctionne pas",
        unknown="Il a peut-être été tronqué lors de la copie. Ouvrez à nouveau le site ou l’application pour en "
        "demander un autre.",
        busy_title="Un instant, s’il vous plaît",
        busy="Il y a eu trop de tentatives depuis cet endroit. Réessayez dans une minute.",
        away="Vos choix ne peuvent pas être lus pour le moment. Rien n’est perdu. Réessayez dans une minute.",
        failed="Vos choix n’ont pas pu être enregistrés : ils sont trop nombreux. Décochez-en quelques-uns.",
        languages="Langues",
    ),
    "pt": Texts(
        name="Português",
        title="Notificações push de {brand}",
        intro="Escolha o que gostaria de receber. Pode mudar de ideia a qualquer momento.",
        topics="Temas",
        no_topics="De momento não há temas para escolher.",
        stop="Nenhuma notificação push",
        stop_hint="Enquanto esta opção estiver ativa, os seus temas são mantidos, mas nada é enviado.",
        save="Guardar",
        saved="As suas escolhas foram guardadas.",
        expired_title="Esta ligação expirou",
        expired="Para sua segurança, a ligação funciona durante um dia. Abra de novo o site ou a aplicação e peça "
        "outra.",
        unknown_title="Esta ligação não funciona",
        unknown="Talvez tenha sido cortada ao copiar. Abra de novo o site ou a aplicação e peça outra.",
        busy_title="Um momento, por favor",
        busy="Houve demasiadas tentativas a partir daqui. Tente de novo dentro de um minuto.",
        away="As suas escolhas não podem ser lidas neste momento. Nada se perdeu. Tente de novo dentro de um minuto.",
        failed="Não foi possível guardar as suas escolhas: são demasiadas. Desmarque algumas.",
        languages="Idiomas",
    ),
    "ar": Texts(
        name="العربية",
        title="الإشعارات من {brand}",
        intro="اختر ما تود أن تصلك أخباره. يمكنك تغيير ذلك في أي وقت.",
        topics="المواضيع",
        no_topics="لا توجد مواضيع للاختيار حاليًا.",
        stop="إيقاف جميع الإشعارات",
        stop_hint="ما دام هذا الخيار مفعّلًا، تبقى مواضيعك محفوظة ولكن لا يُرسل شيء.",
        save="حفظ",
        saved="تم حفظ اختياراتك.",
        expired_title="انتهت صلاحية هذا الرابط",
        expired="حفاظًا على أمانك، يعمل الرابط ليوم واحد. افتح الموقع أو التطبيق من جديد واطلب رابطًا آخر.",
        unknown_title="هذا الرابط لا يعمل",
        unknown="ربما نُسخ الرابط ناقصًا. افتح الموقع أو التطبيق من جديد واطلب رابطًا آخر.",
        busy_title="لحظة من فضلك",
        busy="هناك محاولات كثيرة جدًا من هنا. حاول مرة أخرى بعد دقيقة.",
        away="لا يمكن قراءة اختياراتك في هذه اللحظة. لم يُفقد شيء. حاول مرة أخرى بعد دقيقة.",
        failed="تعذر حفظ اختياراتك لأنها كثيرة جدًا. ألغِ تحديد بعضها.",
        languages="اللغات",
    ),
    "he": Texts(
        name="עברית",
        title="התראות מאת {brand}",
        intro="אפשר לבחור על מה לקבל עדכונים, ולשנות את הבחירה בכל עת.",
        topics="נושאים",
        no_topics="אין כרגע נושאים לבחירה.",
        stop="ללא התראות כלל",
        stop_hint="כל עוד האפשרות פעילה, הנושאים נשמרים אך דבר אינו נשלח.",
        save="שמירה",
        saved="הבחירות נשמרו.",
        expired_title="תוקף הקישור פג",
        expired="מטעמי אבטחה הקישור פעיל ליום אחד. יש לפתוח שוב את האתר או את היישום ולבקש קישור חדש.",
        unknown_title="הקישור אינו פועל",
        unknown="ייתכן שהקישור נקטע בהעתקה. יש לפתוח שוב את האתר או את היישום ולבקש קישור חדש.",
        busy_title="רק רגע, בבקשה",
        busy="היו יותר מדי ניסיונות מכאן. אפשר לנסות שוב בעוד דקה.",
        away="אי אפשר לקרוא את הבחירות שלך כרגע. שום דבר לא אבד. אפשר לנסות שוב בעוד דקה.",
        failed="לא ניתן היה לשמור את הבחירות: יש יותר מדי מהן. יש לבטל את סימון חלקן.",
        languages="שפות",
    ),
}


def page_language(wanted: Sequence[str]) -> str:
    """The first of these languages that the page speaks, else English."""
    return language_pick(written=TEXTS, wanted=wanted, default="en")
