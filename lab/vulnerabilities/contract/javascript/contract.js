// The default contract in Node's own modules alone, so that a pair stands on nothing but the library it is about.
//
//     serve({ issue, verify, jwks })
//
// `issue` makes a token of its claims. `verify` gives the claims of a token, or a promise of them, and throws whatever
// it likes where the token is no good. What they do is up to the library.

const crypto = require('node:crypto')
const http = require('node:http')

const accounts = { alice: 'tea-with-the-hatter-71', bob: 'builds-a-bridge-by-noon-28' }
const lifetimes = { access: 900, refresh: 3600 }
const safe = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin'
}

class Refused extends Error {
  constructor (status, message, headers = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

exports.serve = function serve ({ issue, verify, jwks }) {
  const now = () => Math.floor(Date.now() / 1000)

  async function tokens (name, kinds) {
    const answer = { token_type: 'Bearer' }
    for (const kind of kinds) {
      const life = lifetimes[kind]
      const claims = { sub: name, type: kind, iat: now(), exp: now() + life, jti: crypto.randomUUID() }
      answer[`${kind}_token`] = String(await issue(claims))
      answer[kind === 'access' ? 'expires_in' : 'refresh_expires_in'] = life
    }
    return answer
  }

  async function bearer (headers, kind) {
    const [, token] = /^bearer +(.*)$/is.exec(headers.authorization) ?? []
    if (!token) throw new Refused(401, 'Missing token', { 'WWW-Authenticate': 'Bearer realm="contract"' })
    const challenge = 'Bearer realm="contract", error="invalid_token"'
    const refusal = new Refused(401, 'Invalid token', { 'WWW-Authenticate': challenge })
    let claims
    try {
      claims = await verify(token)
    } catch {
      throw refusal
    }
    if (claims?.type !== kind || !Object.hasOwn(accounts, claims.sub) || !(claims.exp > now())) throw refusal
    return claims.sub
  }

  async function login (body, headers) {
    if (!/^application\/json\s*(;|$)/i.test(headers['content-type'])) throw new Refused(415, 'JSON is wanted')
    let told
    try {
      told = JSON.parse(body)
    } catch {
      throw new Refused(400, 'No JSON')
    }
    if (typeof told?.username !== 'string' || typeof told.password !== 'string') {
      throw new Refused(400, 'A name and a password are wanted')
    }
    if (!Object.hasOwn(accounts, told.username) || accounts[told.username] !== told.password) {
      throw new Refused(401, 'Wrong name or password', { 'WWW-Authenticate': 'Bearer realm="contract"' })
    }
    return tokens(told.username, ['access', 'refresh'])
  }

  const routes = {
    '/login': { POST: login },
    '/profile': { GET: async (_, headers) => ({ username: await bearer(headers, 'access') }) },
    '/dashboard': { GET: async (_, headers) => ({ greeting: `Hello ${await bearer(headers, 'access')}` }) },
    '/refresh': { POST: async (_, headers) => tokens(await bearer(headers, 'refresh'), ['access']) },
    ...(jwks && { '/.well-known/jwks.json': { GET: async () => jwks } })
  }

  async function answered (request, body) {
    const methods = routes[request.url.split('?')[0]]
    if (!methods) throw new Refused(404, 'Nothing here')
    const route = methods[request.method === 'HEAD' && methods.GET ? 'GET' : request.method]
    if (!route) throw new Refused(405, 'Another method', { Allow: Object.keys(methods).join(', ') })
    return route(body, request.headers)
  }

  http.createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk) => { if (body.length <= 1 << 20) body += chunk })
    request.on('end', async () => {
      let status = 200
      let headers = {}
      let answer
      try {
        answer = await answered(request, body)
      } catch (error) {
        status = error instanceof Refused ? error.status : 500
        headers = error.headers ?? {}
        answer = { msg: error instanceof Refused ? error.message : 'Server error' }
      }
      response.writeHead(status, {
        ...headers,
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
        ...safe
      })
      response.end(JSON.stringify(answer))
    })
  }).listen(Number(process.env.PORT), '127.0.0.1')
}
