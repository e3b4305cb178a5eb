package lab;

import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.stream.Collectors;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.HttpStatus;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtClaimsSet;
import org.springframework.security.oauth2.jwt.JwtDecoder;
import org.springframework.security.oauth2.jwt.JwtEncoder;
import org.springframework.security.oauth2.jwt.JwtEncoderParameters;
import org.springframework.security.oauth2.jwt.JwtException;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

@RestController
class Tokens {

    private final RSAKey key;
    private final JwtEncoder encoder;
    private final JwtDecoder decoder;
    private final UserDetailsService users;
    private final long accessLifetime;
    private final long refreshLifetime;

    Tokens(
            RSAKey key,
            JwtEncoder encoder,
            JwtDecoder decoder,
            UserDetailsService users,
            @Value("${lab.access-lifetime}") long accessLifetime,
            @Value("${lab.refresh-lifetime}") long refreshLifetime) {
        this.key = key;
        this.encoder = encoder;
        this.decoder = decoder;
        this.users = users;
        this.accessLifetime = accessLifetime;
        this.refreshLifetime = refreshLifetime;
    }

    record Renewal(String refreshToken) {}

    /** The filters have checked the name and the password by then. */
    @PostMapping("/token")
    Map<String, String> token(Authentication authentication) {
        String name = authentication.getName();
        return Map.of(
                "accessToken", access(name, authentication.getAuthorities()),
                "refreshToken", sign(claims(name, refreshLifetime).claim("type", "refresh")));
    }

    @PostMapping("/refresh")
    Map<String, String> refresh(@RequestBody Renewal renewal) {
        Jwt token;
        try {
            token = decoder.decode(renewal.refreshToken());
        } catch (JwtException error) {
            throw new ResponseStatusException(HttpStatus.UNAUTHORIZED, "Invalid refresh token", error);
        }
        if (!"refresh".equals(token.getClaimAsString("type"))) {
            throw new ResponseStatusException(HttpStatus.UNAUTHORIZED, "Not a refresh token");
        }
        String name = token.getSubject();
        return Map.of("accessToken", access(name, users.loadUserByUsername(name).getAuthorities()));
    }

    @GetMapping("/.well-known/jwks.json")
    Map<String, Object> keys() {
        return new JWKSet(key).toJSONObject();
    }

    @GetMapping("/profile")
    Map<String, String> profile(Authentication authentication) {
        return Map.of("username", authentication.getName());
    }

    @GetMapping("/dashboard")
    Map<String, String> dashboard(Authentication authentication) {
        return Map.of("message", "Hello, " + authentication.getName() + "!");
    }

    private String access(String name, Collection<? extends GrantedAuthority> authorities) {
        String scope = authorities.stream().map(GrantedAuthority::getAuthority).collect(Collectors.joining(" "));
        return sign(claims(name, accessLifetime).claim("scope", scope));
    }

    private static JwtClaimsSet.Builder claims(String name, long lifetime) {
        Instant now = Instant.now();
        return JwtClaimsSet.builder().issuer("self").subject(name).issuedAt(now).expiresAt(now.plusSeconds(lifetime));
    }

    private String sign(JwtClaimsSet.Builder claims) {
        return encoder.encode(JwtEncoderParameters.from(claims.build())).getTokenValue();
    }
}
