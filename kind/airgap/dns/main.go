// Cluster DNS for clusters that have no CoreDNS image: answers A queries for
// <service>.<namespace>.svc.<zone> from the API server's services and
// endpoints, and NXDOMAIN for everything else (such clusters have no upstream).
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

const zone = "svc.cluster.local."

type resolver struct {
	services  listers.ServiceLister
	endpoints listers.EndpointsLister
}

// addresses returns the addresses behind a name, and whether the name exists.
func (r resolver) addresses(name string) ([]string, bool) {
	labels := dns.SplitDomainName(strings.TrimSuffix(name, zone))
	if !strings.HasSuffix(name, zone) || len(labels) < 2 {
		return nil, false
	}
	namespace, service := labels[len(labels)-1], labels[len(labels)-2]
	svc, err := r.services.Services(namespace).Get(service)
	if err != nil {
		return nil, false
	}
	if svc.Spec.ClusterIP != corev1.ClusterIPNone {
		return []string{svc.Spec.ClusterIP}, len(labels) == 2
	}
	var ips []string
	if ep, err := r.endpoints.Endpoints(namespace).Get(service); err == nil {
		for _, subset := range ep.Subsets {
			for _, a := range subset.Addresses {
				if len(labels) == 2 || a.Hostname == labels[0] {
					ips = append(ips, a.IP)
				}
			}
		}
	}
	return ips, len(labels) == 2 || len(ips) > 0
}

func (r resolver) ServeDNS(w dns.ResponseWriter, req *dns.Msg) {
	reply := new(dns.Msg).SetReply(req)
	reply.Authoritative = true
	for _, q := range req.Question {
		ips, found := r.addresses(strings.ToLower(q.Name))
		if !found {
			reply.Rcode = dns.RcodeNameError
			continue
		}
		if q.Qtype != dns.TypeA && q.Qtype != dns.TypeANY {
			continue // the name exists, with no such record
		}
		for _, ip := range ips {
			reply.Answer = append(reply.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5},
				A:   net.ParseIP(ip),
			})
		}
	}
	_ = w.WriteMsg(reply)
}

func main() {
	flag.String("conf", "", "accepted and ignored: the zone is fixed")
	flag.Parse()
	config, err := rest.InClusterConfig()
	if err != nil {
		log.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	// Until kube-proxy has been here, the service's address leads nowhere, and an informer's pauses grow.
	for _, err := client.Discovery().ServerVersion(); err != nil; _, err = client.Discovery().ServerVersion() {
		time.Sleep(100 * time.Millisecond)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	core := factory.Core().V1()
	synced := []cache.InformerSynced{core.Services().Informer().HasSynced, core.Endpoints().Informer().HasSynced}
	stop := make(chan struct{})
	factory.Start(stop)
	ok := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }
	go func() { log.Fatal(http.ListenAndServe(":8080", http.HandlerFunc(ok))) }()
	if !cache.WaitForCacheSync(stop, synced...) {
		log.Fatal("the API server's services and endpoints could not be read")
	}
	r := resolver{core.Services().Lister(), core.Endpoints().Lister()}
	go func() { log.Fatal(http.ListenAndServe(":8181", http.HandlerFunc(ok))) }()
	go func() { log.Fatal((&dns.Server{Addr: ":53", Net: "tcp", Handler: r}).ListenAndServe()) }()
	log.Fatal((&dns.Server{Addr: ":53", Net: "udp", Handler: r}).ListenAndServe())
}
