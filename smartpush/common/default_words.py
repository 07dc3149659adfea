"""What popups, pushes and categories say until a marketer writes their own words, in the languages of the editors."""

from dataclasses import dataclass

from smartpush.common.languages import language_pick


@dataclass(frozen=True, slots=True)
class Buttons:
    """Titles of buttons: of a permission request, of the cross, and of popups that open, close or inform."""

    subscribe: str
    later: str
    close: str
    show: str
    not_now: str
    got_it: str


@dataclass(frozen=True, slots=True)
class Words:
    """One language: the permission request (simple, and with categories), the welcome push, the two categories."""

    buttons: Buttons
    title: str
    ask: str
    choose: str
    welcome: str
    thanks: str
    news: tuple[str, str]
    offers: tuple[str, str]


def words_in(language: str) -> Words:
    """Return the words of a language (pt-BR falls back to pt), else the English ones."""
    return WORDS[language_pick(written=WORDS, wanted=[language], default="en")]


def translated(text: str, *, language: str) -> str:
    """Return a button's title that is some language's default as this language has it, and another title as it is."""
    for words in WORDS.values():
        for name in Buttons.__dataclass_fields__:
            if getattr(words.buttons, name) == text:
                return str(getattr(words_in(language).buttons, name))
    return text


WORDS = {
    "en": Words(
        Buttons("Subscribe", "Maybe later", "Close", "Show me", "Not now", "Got it"),
        "Stay up to date",
        "May we let you know about news and offers? You can change your mind at any time.",
        "Choose what you would like to hear about. You can change your mind at any time.",
        "Welcome, {{ user.first_name | default: 'there' }}!",
        "Thank you for subscribing. This is where you will hear from us.",
        ("News", "What is new, first hand."),
        ("Offers", "Discounts and things that end soon."),
    ),
    "ar": Words(
        Buttons("اشترك", "ربما لاحقًا", "إغلاق", "اعرض لي", "ليس الآن", "فهمت"),
        "ابقَ على اطلاع",
        "هل تسمح لنا بإعلامك بالأخبار والعروض؟ يمكنك تغيير رأيك في أي وقت.",
        "اختر ما تود أن تصلك أخباره. يمكنك تغيير رأيك في أي وقت.",
        "مرحبًا بك!",
        "شكرًا لاشتراكك. هنا ستصلك أخبارنا.",
        ("الأخبار", "كل جديد أولًا بأول."),
        ("العروض", "خصومات وعروض تنتهي قريبًا."),
    ),
    "bg": Words(
        Buttons("Абониране", "Може би по-късно", "Затваряне", "Покажи ми", "Не сега", "Разбрах"),
        "Бъдете в течение",
        "Може ли да ви уведомяваме за новини и оферти? Можете да промените решението си по всяко време.",
        "Изберете за какво искате да научавате. Можете да промените решението си по всяко време.",
        "Добре дошли!",
        "Благодарим ви за абонамента. Тук ще получавате вести от нас.",
        ("Новини", "Новото от първа ръка."),
        ("Оферти", "Отстъпки и предложения с кратък срок."),
    ),
    "cs": Words(
        Buttons("Odebírat", "Možná později", "Zavřít", "Ukázat", "Teď ne", "Rozumím"),
        "Buďte v obraze",
        "Můžeme vám dávat vědět o novinkách a nabídkách? Rozhodnutí můžete kdykoli změnit.",
        "Vyberte si, o čem chcete vědět. Rozhodnutí můžete kdykoli změnit.",
        "Vítejte!",
        "Děkujeme za přihlášení. Tady se vám budeme ozývat.",
        ("Novinky", "Co je nového, z první ruky."),
        ("Nabídky", "Slevy a akce, které brzy končí."),
    ),
    "da": Words(
        Buttons("Abonner", "Måske senere", "Luk", "Vis mig", "Ikke nu", "Forstået"),
        "Hold dig opdateret",
        "Må vi give dig besked om nyheder og tilbud? Du kan altid ombestemme dig.",
        "Vælg, hvad du gerne vil høre om. Du kan altid ombestemme dig.",
        "Velkommen!",
        "Tak, fordi du abonnerer. Her hører du fra os.",
        ("Nyheder", "Det nyeste fra første hånd."),
        ("Tilbud", "Rabatter og tilbud, der snart slutter."),
    ),
    "de": Words(
        Buttons("Abonnieren", "Vielleicht später", "Schließen", "Anzeigen", "Nicht jetzt", "Verstanden"),
        "Bleiben Sie auf dem Laufenden",
        "Dürfen wir Sie über Neuigkeiten und Angebote informieren? Sie können das jederzeit ändern.",
        "Wählen Sie, worüber Sie informiert werden möchten. Sie können das jederzeit ändern.",
        "Willkommen!",
        "Danke für Ihr Abonnement. Hier hören Sie von uns.",
        ("Neuigkeiten", "Was es Neues gibt, aus erster Hand."),
        ("Angebote", "Rabatte und Aktionen, die bald enden."),
    ),
    "el": Words(
        Buttons("Εγγραφή", "Ίσως αργότερα", "Κλείσιμο", "Δείτε το", "Όχι τώρα", "Εντάξει"),
        "Μείνετε ενημερωμένοι",
        "Θέλετε να σας ενημερώνουμε για νέα και προσφορές; Μπορείτε να το αλλάξετε οποιαδήποτε στιγμή.",
        "Επιλέξτε για τι θέλετε να ενημερώνεστε. Μπορείτε να το αλλάξετε οποιαδήποτε στιγμή.",
        "Καλώς ήρθατε!",
        "Ευχαριστούμε για την εγγραφή. Εδώ θα λαμβάνετε τα νέα μας.",
        ("Νέα", "Όλα τα νέα από πρώτο χέρι."),
        ("Προσφορές", "Εκπτώσεις και προσφορές που λήγουν σύντομα."),
    ),
    "es": Words(
        Buttons("Suscribirse", "Quizá más tarde", "Cerrar", "Ver", "Ahora no", "Entendido"),
        "Manténgase al día",
        "¿Podemos avisarle de novedades y ofertas? Puede cambiar de opinión en cualquier momento.",
        "Elija sobre qué desea recibir avisos. Puede cambiar de opinión en cualquier momento.",
        "¡Bienvenido!",
        "Gracias por suscribirse. Aquí recibirá nuestros avisos.",
        ("Novedades", "Lo nuevo, de primera mano."),
        ("Ofertas", "Descuentos y promociones que terminan pronto."),
    ),
    "fi": Words(
        Buttons("Tilaa", "Ehkä myöhemmin", "Sulje", "Näytä", "Ei nyt", "Selvä"),
        "Pysy ajan tasalla",
        "Saammeko kertoa sinulle uutisista ja tarjouksista? Voit muuttaa mielesi milloin tahansa.",
        "Valitse, mistä haluat kuulla. Voit muuttaa mielesi milloin tahansa.",
        "Tervetuloa!",
        "Kiitos tilauksesta. Täällä kuulet meistä.",
        ("Uutiset", "Uusimmat asiat ensimmäisenä."),
        ("Tarjoukset", "Alennukset ja pian päättyvät edut."),
    ),
    "fr": Words(
        Buttons("S’abonner", "Plus tard", "Fermer", "Voir", "Pas maintenant", "Compris"),
        "Restez informé",
        "Pouvons-nous vous prévenir des nouveautés et des offres ? Vous pouvez changer d’avis à tout moment.",
        "Choisissez ce dont vous souhaitez être informé. Vous pouvez changer d’avis à tout moment.",
        "Bienvenue !",
        "Merci de votre abonnement. C’est ici que vous aurez de nos nouvelles.",
        ("Nouveautés", "Toute l’actualité, en direct."),
        ("Offres", "Des remises et des offres qui se terminent bientôt."),
    ),
    "he": Words(
        Buttons("הרשמה", "אולי מאוחר יותר", "סגירה", "הצגה", "לא עכשיו", "הבנתי"),
        "להישאר מעודכנים",
        "אפשר לעדכן אתכם בחדשות ובמבצעים? אפשר לשנות את הבחירה בכל עת.",
        "בחרו על מה תרצו לקבל עדכונים. אפשר לשנות את הבחירה בכל עת.",
        "ברוכים הבאים!",
        "תודה שנרשמתם. כאן תקבלו מאיתנו עדכונים.",
        ("חדשות", "כל מה שחדש, ממקור ראשון."),
        ("מבצעים", "הנחות ומבצעים שמסתיימים בקרוב."),
    ),
    "hr": Words(
        Buttons("Pretplati se", "Možda kasnije", "Zatvori", "Prikaži", "Ne sada", "U redu"),
        "Ostanite u tijeku",
        "Smijemo li vas obavještavati o novostima i ponudama? Odluku možete promijeniti u svakom trenutku.",
        "Odaberite o čemu želite biti obaviješteni. Odluku možete promijeniti u svakom trenutku.",
        "Dobro došli!",
        "Hvala na pretplati. Ovdje ćete dobivati naše obavijesti.",
        ("Novosti", "Sve novo iz prve ruke."),
        ("Ponude", "Popusti i ponude koje uskoro završavaju."),
    ),
    "hu": Words(
        Buttons("Feliratkozás", "Talán később", "Bezárás", "Megnézem", "Most nem", "Rendben"),
        "Legyen naprakész",
        "Értesíthetjük a hírekről és az ajánlatokról? Döntését bármikor megváltoztathatja.",
        "Válassza ki, miről szeretne értesülni. Döntését bármikor megváltoztathatja.",
        "Üdvözöljük!",
        "Köszönjük a feliratkozást. Itt értesül majd híreinkről.",
        ("Hírek", "Az újdonságok első kézből."),
        ("Ajánlatok", "Kedvezmények és hamarosan lejáró akciók."),
    ),
    "it": Words(
        Buttons("Iscriviti", "Forse più tardi", "Chiudi", "Mostra", "Non ora", "Ho capito"),
        "Resta aggiornato",
        "Possiamo avvisarti di novità e offerte? Puoi cambiare idea in qualsiasi momento.",
        "Scegli su che cosa vuoi ricevere avvisi. Puoi cambiare idea in qualsiasi momento.",
        "Benvenuto!",
        "Grazie per l’iscrizione. Qui riceverai le nostre notizie.",
        ("Novità", "Le ultime notizie in anteprima."),
        ("Offerte", "Sconti e promozioni che terminano presto."),
    ),
    "ja": Words(
        Buttons("登録する", "あとで", "閉じる", "見る", "今はしない", "了解"),
        "最新情報をお届けします",
        "ニュースやお得な情報をお知らせしてもよろしいですか。設定はいつでも変更できます。",
        "受け取りたい内容をお選びください。設定はいつでも変更できます。",
        "ようこそ!",
        "ご登録ありがとうございます。こちらでお知らせをお届けします。",
        ("ニュース", "最新の情報をいち早く。"),
        ("お得な情報", "割引や期間限定のお知らせ。"),
    ),
    "nl": Words(
        Buttons("Abonneren", "Misschien later", "Sluiten", "Bekijken", "Niet nu", "Begrepen"),
        "Blijf op de hoogte",
        "Mogen we u laten weten wat er nieuw is en welke aanbiedingen er zijn? U kunt dit altijd wijzigen.",
        "Kies waarover u wilt horen. U kunt dit altijd wijzigen.",
        "Welkom!",
        "Bedankt voor uw aanmelding. Hier hoort u van ons.",
        ("Nieuws", "Het laatste nieuws uit de eerste hand."),
        ("Aanbiedingen", "Kortingen en acties die bijna aflopen."),
    ),
    "no": Words(
        Buttons("Abonner", "Kanskje senere", "Lukk", "Vis meg", "Ikke nå", "Forstått"),
        "Hold deg oppdatert",
        "Kan vi gi deg beskjed om nyheter og tilbud? Du kan når som helst ombestemme deg.",
        "Velg hva du vil høre om. Du kan når som helst ombestemme deg.",
        "Velkommen!",
        "Takk for at du abonnerer. Her hører du fra oss.",
        ("Nyheter", "Det nyeste fra første hånd."),
        ("Tilbud", "Rabatter og tilbud som snart er over."),
    ),
    "pl": Words(
        Buttons("Subskrybuj", "Może później", "Zamknij", "Pokaż", "Nie teraz", "Rozumiem"),
        "Bądź na bieżąco",
        "Czy możemy informować Cię o nowościach i ofertach? Decyzję możesz zmienić w każdej chwili.",
        "Wybierz, o czym chcesz wiedzieć. Decyzję możesz zmienić w każdej chwili.",
        "Witamy!",
        "Dziękujemy za subskrypcję. Tutaj będziemy się z Tobą kontaktować.",
        ("Nowości", "To, co nowe, z pierwszej ręki."),
        ("Oferty", "Rabaty i okazje, które wkrótce się skończą."),
    ),
    "pt": Words(
        Buttons("Subscrever", "Talvez mais tarde", "Fechar", "Ver", "Agora não", "Percebi"),
        "Fique a par",
        "Podemos avisá-lo de novidades e ofertas? Pode mudar de ideias a qualquer momento.",
        "Escolha sobre o que quer receber avisos. Pode mudar de ideias a qualquer momento.",
        "Bem-vindo!",
        "Obrigado por subscrever. É aqui que receberá as nossas novidades.",
        ("Novidades", "O que há de novo, em primeira mão."),
        ("Ofertas", "Descontos e promoções que acabam em breve."),
    ),
    "pt-BR": Words(
        Buttons("Inscrever-se", "Talvez mais tarde", "Fechar", "Ver", "Agora não", "Entendi"),
        "Fique por dentro",
        "Podemos avisar você sobre novidades e ofertas? Você pode mudar de ideia a qualquer momento.",
        "Escolha sobre o que você quer receber avisos. Você pode mudar de ideia a qualquer momento.",
        "Boas-vindas!",
        "Obrigado por se inscrever. É aqui que você receberá nossas novidades.",
        ("Novidades", "O que há de novo, em primeira mão."),
        ("Ofertas", "Descontos e promoções que terminam em breve."),
    ),
    "ro": Words(
        Buttons("Abonează-te", "Poate mai târziu", "Închide", "Arată-mi", "Nu acum", "Am înțeles"),
        "Fii la curent",
        "Te putem anunța despre noutăți și oferte? Te poți răzgândi oricând.",
        "Alege despre ce vrei să afli. Te poți răzgândi oricând.",
        "Bun venit!",
        "Îți mulțumim că te-ai abonat. Aici vei primi vești de la noi.",
        ("Noutăți", "Tot ce e nou, la prima mână."),
        ("Oferte", "Reduceri și promoții care se încheie curând."),
    ),
    "ru": Words(
        Buttons("Подписаться", "Может быть, позже", "Закрыть", "Показать", "Не сейчас", "Понятно"),
        "Будьте в курсе",
        "Можно сообщать вам о новостях и предложениях? Вы можете изменить решение в любой момент.",
        "Выберите, о чём вы хотите узнавать. Вы можете изменить решение в любой момент.",
        "Добро пожаловать!",
        "Спасибо за подписку. Здесь вы будете узнавать наши новости.",
        ("Новости", "Всё новое из первых рук."),
        ("Предложения", "Скидки и акции, которые скоро закончатся."),
    ),
    "sv": Words(
        Buttons("Prenumerera", "Kanske senare", "Stäng", "Visa", "Inte nu", "Jag förstår"),
        "Håll dig uppdaterad",
        "Får vi meddela dig om nyheter och erbjudanden? Du kan ändra dig när som helst.",
        "Välj vad du vill höra om. Du kan ändra dig när som helst.",
        "Välkommen!",
        "Tack för att du prenumererar. Här hör du av oss.",
        ("Nyheter", "Det senaste i första hand."),
        ("Erbjudanden", "Rabatter och erbjudanden som snart tar slut."),
    ),
    "tr": Words(
        Buttons("Abone ol", "Belki daha sonra", "Kapat", "Göster", "Şimdi değil", "Anladım"),
        "Haberdar olun",
        "Size yenilikleri ve fırsatları bildirebilir miyiz? Kararınızı istediğiniz zaman değiştirebilirsiniz.",
        "Hangi konularda haber almak istediğinizi seçin. Kararınızı istediğiniz zaman değiştirebilirsiniz.",
        "Hoş geldiniz!",
        "Abone olduğunuz için teşekkürler. Bizden haberleri buradan alacaksınız.",
        ("Haberler", "Yenilikler ilk elden."),
        ("Fırsatlar", "İndirimler ve yakında bitecek fırsatlar."),
    ),
    "uk": Words(
        Buttons("Підписатися", "Можливо, пізніше", "Закрити", "Показати", "Не зараз", "Зрозуміло"),
        "Будьте в курсі",
        "Чи можна повідомляти вас про новини та пропозиції? Ви можете змінити рішення будь-коли.",
        "Виберіть, про що ви хочете дізнаватися. Ви можете змінити рішення будь-коли.",
        "Ласкаво просимо!",
        "Дякуємо за підписку. Тут ви дізнаватиметеся наші новини.",
        ("Новини", "Усе нове з перших рук."),
        ("Пропозиції", "Знижки й акції, що скоро закінчаться."),
    ),
    "zh": Words(
        Buttons("订阅", "以后再说", "关闭", "查看", "暂不", "知道了"),
        "及时了解最新动态",
        "我们可以向您推送新闻和优惠信息吗?您可以随时更改。",
        "请选择您想了解的内容。您可以随时更改。",
        "欢迎!",
        "感谢您的订阅。我们会在这里向您发送消息。",
        ("新闻", "第一时间了解最新消息。"),
        ("优惠", "折扣和限时活动。"),
    ),
}
