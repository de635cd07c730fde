/** What a registry behind a login answers to a client without a session: a page, with status 200. */
export const LOGIN_PAGE = `<!DOCTYPE html>
<html lang="is">
<head><meta charset="utf-8"><title>Innskráning</title></head>
<body>
<h1>Innskráning</h1>
<form method="post" action="/accounts/login/">
<label>Notandanafn <input name="username" autocomplete="username"></label>
<label>Lykilorð <input name="password" type="password" autocomplete="current-password"></label>
<button>Skrá inn</button>
</form>
</body>
</html>
`;
