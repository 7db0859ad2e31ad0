package eventprospect.foreign;

import java.util.List;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** A service that registers itself, and shows what it discovers. */
@SpringBootApplication
@RestController
public class Application {
  private final DiscoveryClient discovery;

  Application(DiscoveryClient discovery) {
    this.discovery = discovery;
  }

  public static void main(String[] args) {
    SpringApplication.run(Application.class, args);
  }

  /** One instance, as Spring sees it. */
  record Found(String id, String host, int port, Map<String, String> metadata) {}

  /** The instances of a service that take requests. */
  @GetMapping("/discovered/{service}")
  List<Found> discovered(@PathVariable("service") String service) {
    return discovery.getInstances(service).stream()
        .map(i -> new Found(i.getInstanceId(), i.getHost(), i.getPort(), i.getMetadata()))
        .toList();
  }
}
