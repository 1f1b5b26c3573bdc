"""OpenStack as a cloud of the desk: Keystone, Nova, Placement and Neutron, by openstacksdk."""

from provider.openstack.cloud import OpenStackCloud

__all__ = ["OpenStackCloud"]
