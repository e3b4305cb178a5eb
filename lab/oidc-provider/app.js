// oidc-provider with a password grant, which it lets its users register: it brings none of its own.

import Provider, { errors } from "oidc-provider";

// Stands for the users' table
const passwords = new Map([
  ["alice", "tea-with-the-hatter-71"],
  ["bob", "builds-a-bridge-by-noon-28"],
]);

const { PORT, LAB_ACCESS_LIFETIME, LAB_REFRESH_LIFETIME } = process.env;
const ttl = {};
if (LAB_ACCESS_LIFETIME) ttl.AccessToken = Number(LAB_ACCESS_LIFETIME);
if (LAB_REFRESH_LIFETIME) ttl.RefreshToken = Number(LAB_REFRESH_LIFETIME);

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [
    {
      client_id: "lab",
      token_endpoint_auth_method: "none",
      grant_types: ["password", "refresh_token"],
      response_types: [],
      redirect_uris: [],
    },
  ],
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  findAccount: (ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  ttl,
});

provider.registerGrantType("password", passwordGrant, ["username", "password", "scope"]);

async function passwordGrant(ctx) {
  const { client, params } = ctx.oidc;
  if (!params.password || passwords.get(params.username) !== params.password) {
    throw new errors.InvalidGrant("wrong username or password");
  }
  const scope = params.scope ?? "openid";
  const grant = new provider.Grant({ accountId: params.username, clientId: client.clientId });
  grant.addOIDCScope(scope);
  const issue = {
    accountId: params.username,
    client,
    grantId: await grant.save(),
    gty: "password",
    scope,
  };

  const accessToken = new provider.AccessToken(issue);
  ctx.body = {
    access_token: await accessToken.save(),
    expires_in: accessToken.expiration,
    token_type: accessToken.tokenType,
    scope,
  };
  if (scope.split(" ").includes("offline_access")) {
    ctx.body.refresh_token = await new provider.RefreshToken({ ...issue, rotations: 0 }).save();
  }
}

provider.listen(PORT, "127.0.0.1");
